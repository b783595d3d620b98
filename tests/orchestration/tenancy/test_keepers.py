"""The control role works on tenants' logins through keepers, and is no member of any tenant's login itself."""

import pytest
from sqlalchemy import exc, text

from analysis.errors import PermanentError
from analysis.store.connect import open_engine
from analysis.store.migrate import upgrade
from orchestration.stack import bootstrap
from orchestration.tenancy import removal
from orchestration.tenancy.publishing import builds, releases, sealing
from orchestration.tenancy.walls.handover import hand_over
from orchestration.tenancy.walls.keepers import SCHEMA, as_keeper, holding, install_keeper, keeper_of
from orchestration.tenancy.walls.platform import prepare_platform
from orchestration.tenancy.walls.repairs import find_faults
from orchestration.tenancy.walls.roles import cut_sessions

MEMBERSHIPS = """
select pg_get_userbyid(roleid)::text, pg_get_userbyid(member)::text, inherit_option, set_option, admin_option
from pg_auth_members where pg_get_userbyid(roleid) like 'tenant\\_%' order by 1, 2
"""


@pytest.fixture
def admin(postgres):
    return open_engine(bootstrap.with_database(postgres.admin_url, "test_tenancy"))


def memberships(engine, names):
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(MEMBERSHIPS.replace("%", "%%")).all()
    return [tuple(row) for row in rows if row[0] in (names.builder, names.reader)]


def kept(names):
    keeper = keeper_of(names.tenant)
    return [(names.builder, keeper, False, False, True), (names.reader, keeper, False, False, True)]


def test_a_tenants_logins_have_one_keeper_and_the_control_role_no_membership_whatever_it_did(tenant):
    tenant.publish()
    tenant.build()
    cut_sessions(tenant.engine, tenant.names.builder, tenant.names.reader)
    sealing.seal_build(tenant.engine, str(tenant))
    assert memberships(tenant.engine, tenant.names) == kept(tenant.names)
    query = (
        "select count(*) from pg_auth_members where member = current_user::regrole and roleid::regrole::text ~ :made"
    )
    with tenant.engine.connect() as connection:
        assert connection.execute(text(query), {"made": "^tenant_.*_(builder|reader)$"}).scalar_one() == 0


def test_a_membership_lasts_as_long_as_its_block_and_no_longer_than_its_transaction(tenant):
    names, joined = tenant.names, "select pg_has_role(:role, 'usage') and pg_has_role(:role, 'set')"
    with tenant.engine.begin() as connection:
        with holding(connection, names.tenant, names.builder):
            assert connection.execute(text(joined), {"role": names.builder}).scalar_one()
            assert not connection.execute(text(joined), {"role": names.reader}).scalar_one()
        assert not connection.execute(text(joined), {"role": names.builder}).scalar_one()
    failing = pytest.raises(ZeroDivisionError)
    with failing, tenant.engine.begin() as connection, holding(connection, names.tenant, names.builder):
        raise ZeroDivisionError
    assert memberships(tenant.engine, names) == kept(names)


def test_a_keeper_is_reached_by_the_control_role_alone(tenant, loader):
    with tenant.engine.begin() as connection:
        as_keeper(connection, tenant.names.tenant, "alter role {role} login", role=tenant.names.reader)
    call = text(f"select {SCHEMA}.{keeper_of(str(tenant))}('create role mine superuser')")
    for other in (tenant.builder, tenant.reader, loader):
        with pytest.raises(exc.ProgrammingError, match="permission denied"), other.connect() as connection:
            connection.execute(call)
    with pytest.raises(exc.ProgrammingError, match="SUPERUSER"), tenant.engine.connect() as connection:
        connection.execute(call)


def test_a_keeper_that_was_restored_into_other_hands_is_made_anew(tenant, as_admin):
    keeper = keeper_of(str(tenant))
    as_admin(f"alter function {SCHEMA}.{keeper}(text) owner to sluice_control")
    tenant.publish()
    owner = f"select proowner::regrole::text from pg_proc where oid = '{SCHEMA}.{keeper}(text)'::regprocedure"
    assert as_admin(owner) == [(keeper,)]


def test_on_a_server_whose_superuser_we_are_not_a_tenant_lives_and_goes(tenant, without_watching):
    tenant.publish()
    tenant.build()
    late = tenant.builder.connect()
    late.execute(text(f"create table {tenant.names.build}.late as select 1 as id"))
    assert "late" not in sealing.seal_build(tenant.engine, str(tenant)).counts
    with pytest.raises(exc.OperationalError):
        late.commit()
    late.invalidate()
    releases.publish(tenant.engine, str(tenant))
    removal.remove_tenant(tenant.engine, str(tenant))
    assert tenant.schemas() == set()
    assert memberships(tenant.engine, tenant.names) == []


def test_a_superuser_may_be_the_control_role(postgres, database, new_tenant_of, as_admin, engine):
    url = bootstrap.with_database(postgres.admin_url, database.rpartition("/")[2])
    bootstrap.prepare_warehouse(url)
    upgrade(url)
    with new_tenant_of(open_engine(url), "rooted") as tenant:
        builds.open_build(tenant.engine, "rooted")
        sealing.seal_build(tenant.engine, "rooted")
        releases.publish(tenant.engine, "rooted")
        assert [fault.sentence for fault in find_faults(tenant.engine) if fault.tenant] == []
    # The keeper is the superuser's, and of use to no other control role until it is granted as the error says.
    taking = "select distinct member::regrole::text from pg_auth_members where roleid::regrole::text = '{}'"
    keeper = keeper_of("rooted")
    if (bootstrap.CONTROL,) not in as_admin(taking.format(keeper)):
        refused = pytest.raises(PermanentError, match="is not ours; have an administrator run")
        with refused as caught, engine.begin() as connection:
            install_keeper(connection, keeper)
        as_admin(str(caught.value).split("`")[1])
    with engine.begin() as connection:
        install_keeper(connection, keeper)


@pytest.mark.parametrize("has_superuser", [True, False], ids=["embedded", "given"])
def test_logins_of_the_old_way_pass_into_their_keepers_hands(tenant, admin, as_admin, has_superuser):
    names = tenant.names
    for role in (names.builder, names.reader):  # as PostgreSQL and `createrole_self_grant` once left them
        as_admin(f"revoke {role} from {keeper_of(names.tenant)}")
        as_admin(f"grant {role} to sluice_control with admin true, inherit false, set false")
        as_admin(f"grant {role} to sluice_control with inherit true, set true granted by sluice_control")
    with pytest.raises(PermanentError, match="lacks a right"):
        tenant.publish()
    assert hand_over(tenant.engine, admin if has_superuser else None) == 2
    mine = [] if has_superuser else [(r, "sluice_control", False, False, True) for r in (names.builder, names.reader)]
    assert memberships(tenant.engine, names) == sorted([*kept(names), *mine])
    assert find_faults(tenant.engine) == []
    assert hand_over(tenant.engine, admin if has_superuser else None) == 0
    tenant.publish()
    prepare_platform(tenant.engine)
