"""Whoever changes a tenant's walls by hand is told by name, and a repair puts them back."""

import pytest
from sqlalchemy import text

from analysis.store.audit import read_log
from analysis.store.connect import open_engine
from orchestration.stack import bootstrap
from orchestration.tenancy.publishing import releases, sealing
from orchestration.tenancy.schemas import open_sample, open_scratch
from orchestration.tenancy.walls.keepers import keeper_of
from orchestration.tenancy.walls.repairs import find_faults, repair_all

RAW, ANALYTICS = "tenant_standing", "tenant_standing_analytics"
BUILDER, READER = f"{RAW}_builder", f"{RAW}_reader"
MART = f"{ANALYTICS}.dashboard_summary"
FLEET = "analytics.dashboard_summary"
DEFAULTS = f"alter default privileges for role sluice_loader in schema {RAW}"
KEEPER = keeper_of("standing")
# What somebody does by hand, and how it is told; each group is done at once.
DONE_BY_HAND = {
    "rights on schemas and relations": {
        f"grant usage on schema {RAW} to {READER}": f"schema {RAW} grants USAGE to {READER}",
        f"grant create on schema {ANALYTICS} to {BUILDER}": f"schema {ANALYTICS} grants CREATE to {BUILDER}",
        f"grant usage on schema {RAW} to {BUILDER} with grant option": f"schema {RAW} grants USAGE to {BUILDER}",
        f"grant usage on schema {ANALYTICS}__r1 to {READER}": f"schema {ANALYTICS}__r1 grants USAGE to {READER}",
        f"grant select on {RAW}.stripe_charges to {READER}": f"{RAW}.stripe_charges grants SELECT to {READER}",
        f"grant select on {RAW}.stripe_charges to public": f"{RAW}.stripe_charges grants SELECT to public",
        f"grant select (customer_count) on {MART} to public": f"relation {MART} grants SELECT to public",
        f"grant insert on {MART} to {READER}": f"relation {MART} grants INSERT to {READER}",
        f"revoke usage on schema {RAW} from sluice_loader": f"schema {RAW} lacks USAGE for sluice_loader",
        f"{DEFAULTS} revoke select on tables from {BUILDER}": f"does not let {BUILDER} read the tables to come",
        f"{DEFAULTS} grant select on tables to public": "grants SELECT on tables to come of sluice_loader to public",
    },
    "attributes, settings and memberships": {
        f"alter role {BUILDER} superuser": f"login {BUILDER} is superuser",
        f"alter role {READER} createrole bypassrls nologin": f"login {READER} is createrole and bypassrls",
        f"alter role {READER} valid until '2020-01-01'": f"login {READER} may not log in",
        f"alter role {BUILDER} connection limit 500": f"login {BUILDER} has a connection limit of 500",
        f"alter role {READER} set search_path = public": f"login {READER} has not the search_path",
        f"alter role {READER} in database test_tenancy set role = x": f"{READER} has the setting role in database",
        f"alter role {BUILDER} set work_mem = '1GB'": f"login {BUILDER} has the setting work_mem",
        f"grant pg_read_all_data to {READER}": f"role {READER} is a member of pg_read_all_data",
        f"grant {BUILDER} to {READER}": f"role {READER} is a member of {BUILDER}",
        f"grant {BUILDER} to sluice_control": f"role sluice_control is a member of {BUILDER}",
        f"revoke sluice_readers from {READER} granted by {KEEPER}": f"login {READER} is not in its group",
        f"revoke {BUILDER} from {KEEPER}": f"login {BUILDER} is not in its keeper's hands",
        "grant pg_read_all_data to sluice_readers": "group sluice_readers is a member of pg_read_all_data",
    },
    "owners": {
        f"alter table {MART} owner to {BUILDER}": f"relation {MART} belongs to {BUILDER}",
        f"alter schema {RAW} owner to {BUILDER}": f"schema {RAW} belongs to {BUILDER}",
        f"drop owned by {READER}": f"schema {ANALYTICS} lacks USAGE for {READER}",
    },
    "outside the tenant's schemas": {
        f"grant select on sluice.tenant_credentials to {READER}": f"tenant_credentials grants SELECT to {READER}",
        "grant usage on schema airbyte to public": "schema airbyte grants USAGE to public",
        f"grant update on {FLEET} to sluice_readers": f"relation {FLEET} grants UPDATE to sluice_readers",
        "revoke select on analytics.current_release from sluice_readers": "current_release cannot be read by sluice_",
        f"alter table {FLEET} no force row level security": f"table {FLEET} does not force its row-level security",
        f"create policy open on {FLEET} using (true)": f"fleet table {FLEET} has the policy open",
    },
    "a login": {f"drop owned by {READER}; drop role {READER}": f"login {READER} is missing"},
}


@pytest.fixture
def admin(postgres):
    return open_engine(bootstrap.with_database(postgres.admin_url, "test_tenancy"))


@pytest.fixture(scope="module")
def standing(new_tenant):
    """A tenant with a raw table and three releases, of which one is published."""
    with new_tenant("standing") as tenant:
        tenant.load(RAW, "stripe_charges")
        for _ in range(3):
            tenant.publish()
        yield tenant


def found(engine):
    return [fault.sentence for fault in find_faults(engine)]


@pytest.mark.parametrize("done", DONE_BY_HAND.values(), ids=DONE_BY_HAND)
def test_what_is_done_by_hand_is_told_and_mended(standing, key, admin, as_admin, done):
    assert found(standing.engine) == []
    as_admin("; ".join(done))
    told = found(standing.engine)
    for sentence in done.values():
        assert [line for line in told if sentence in line], (sentence, told)
    assert all(line.startswith("Tenant standing: ") == ("standing" in line) for line in told)
    mended, left = repair_all(standing.engine, key, admin=admin)
    assert (left, found(standing.engine)) == ([], [])
    assert sorted(told) == sorted(fault.sentence for fault in mended)
    assert standing.seen() == 3


def test_no_step_of_a_tenants_way_looks_like_a_fault(tenant):
    tenant.load(tenant.names.raw, "stripe_charges")
    for step in (
        lambda: open_sample(tenant.engine, str(tenant)),
        lambda: open_scratch(tenant.engine, str(tenant)),
        tenant.publish,
        tenant.publish,
        lambda: tenant.build({"own": "select 1 as id"}),
        lambda: sealing.seal_build(tenant.engine, str(tenant)),
        lambda: releases.publish(tenant.engine, str(tenant)),
        lambda: releases.rollback(tenant.engine, str(tenant)),
    ):
        step()
        assert found(tenant.engine) == []


def test_a_role_made_again_logs_in_with_the_password_that_is_kept(standing, key, as_admin):
    as_admin(f"drop owned by {READER}; drop role {READER}; alter role {BUILDER} password 'another'")
    assert repair_all(standing.engine, key)[1] == []
    assert standing.seen() == 3
    with standing.builder.connect() as connection:
        assert connection.execute(text(f"select count(*) from {RAW}.stripe_charges")).scalar_one() == 3


def test_without_a_superuser_what_only_one_may_do_stays_with_its_statement(standing, key, admin, as_admin):
    as_admin(f"alter role {READER} superuser; grant usage on schema {RAW} to {READER}")
    mended, left = repair_all(standing.engine, key)
    assert [fault.statement for fault in left] == [f'alter role "{READER}" nosuperuser']
    assert [fault.thing for fault in mended] == [f"the schema {RAW}"]
    repair_all(standing.engine, key, admin=admin)


def test_a_repair_is_in_the_audit_log(standing, key, as_admin):
    as_admin(f"grant usage on schema {RAW} to public")
    repair_all(standing.engine, key)
    with standing.engine.connect() as connection:
        last = list(read_log(connection, tenant="standing"))[-1]
    assert last.action == "grants.repair"
    assert last.detail["found"] == [{"thing": f"the schema {RAW}", "wrong": "grants USAGE to public"}]
