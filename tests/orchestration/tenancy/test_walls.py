"""What a tenant's logins may do, each refusal beside the same statement where it is allowed."""

import pytest
from sqlalchemy import Engine, exc, text

from analysis.store.connect import open_engine
from orchestration.stack import bootstrap
from orchestration.tenancy import schemas


def allowed(engine: Engine, statement: str) -> list:
    with engine.begin() as connection:
        result = connection.exec_driver_sql(statement)
        return result.all() if result.returns_rows else []


def refused(engine: Engine, statement: str, why: str = "permission denied") -> None:
    with pytest.raises((exc.ProgrammingError, exc.InternalError), match=why):
        allowed(engine, statement)


def test_a_builder_reads_its_own_raw_sample_and_history_and_nobody_elses(tenant, other):
    for each in (tenant, other):
        schemas.open_sample(each.engine, str(each))
        each.load(each.names.raw, "stripe_charges")
        each.load(each.names.sample, "stripe_charges")
        allowed(each.engine, f"create table {each.names.history}.kept as select 1 as id")
    for schema, table in (("raw", "stripe_charges"), ("sample", "stripe_charges"), ("history", "kept")):
        assert allowed(tenant.builder, f"select * from {getattr(tenant.names, schema)}.{table}")
        refused(tenant.builder, f"select * from {getattr(other.names, schema)}.{table}")


def test_a_builder_reads_tables_that_were_moved_in_after_a_grant(tenant, loader):
    with loader.begin() as connection:
        connection.execute(text(f"create table airbyte_internal.{tenant.names.raw}_moved as select 1 as id"))
        moved = f"airbyte_internal.{tenant.names.raw}_moved"
        connection.execute(text(f"alter table {moved} set schema {tenant.names.raw}"))
    query = f"select * from {tenant.names.raw}.{tenant.names.raw}_moved"
    refused(tenant.builder, query)
    with tenant.engine.begin() as connection:
        schemas.grant_raw_read(connection, str(tenant))
    assert allowed(tenant.builder, query) == [(1,)]


def test_a_builder_creates_in_scratch_and_build_only(tenant):
    schemas.open_sample(tenant.engine, str(tenant))
    tenant.publish()
    tenant.build()
    schemas.open_scratch(tenant.engine, str(tenant))
    for own in (tenant.names.scratch, tenant.names.build):
        allowed(tenant.builder, f"create table {own}.mine as select 1 as id")
    for closed in (tenant.names.raw, tenant.names.sample, tenant.names.history, tenant.names.analytics, "public"):
        refused(tenant.builder, f"create table {closed}.mine as select 1 as id")


def test_a_builder_is_refused_whatever_is_not_its_work(tenant):
    tenant.load(tenant.names.raw, "stripe_charges")
    builder = tenant.builder
    assert allowed(builder, f"select * from {tenant.names.raw}.stripe_charges")
    for statement in (
        "create table public.mine (id int)",
        "create temporary table mine (id int)",
        "create schema mine",
        "create role mine",
        "insert into analytics.dashboard_summary (tenant_id) values ('x')",
        "select * from analytics.dashboard_summary",
        "select * from sluice.tenant_credentials",
        "copy (select 1) to program 'true'",
        "select pg_read_file('/etc/passwd')",
        f"create table {tenant.names.raw}.mine (id int)",
        f"delete from {tenant.names.raw}.stripe_charges",
        f"drop table {tenant.names.raw}.stripe_charges",
    ):
        refused(builder, statement, "permission denied|must be owner")


@pytest.mark.parametrize("login", ["builder", "reader"])
def test_no_login_becomes_another(tenant, other, login):
    targets = [other.names.builder, other.names.reader, bootstrap.CONTROL, bootstrap.LOADER, "sluice_readers"]
    own = getattr(tenant, login)
    assert allowed(own, "reset role") == []
    for role in targets:
        refused(own, f'set role "{role}"')
        refused(own, f'set session authorization "{role}"')


def test_a_reader_reads_the_published_release_and_nothing_beside_it(tenant, other):
    tenant.load(tenant.names.raw, "stripe_charges")
    tenant.publish()
    old = tenant.seen()
    tenant.publish()
    other.publish()
    tenant.build()
    assert allowed(tenant.reader, f"select customer_count from {tenant.names.analytics}.dashboard_summary")
    for closed in (
        f"{tenant.names.raw}.stripe_charges",
        f"{tenant.names.build}.dashboard_summary",
        f"{tenant.names.release(old)}.dashboard_summary",
        f"{other.names.analytics}.dashboard_summary",
        "sluice.tenants",
    ):
        refused(tenant.reader, f"select * from {closed}")
    refused(tenant.reader, f"create table {tenant.names.analytics}.mine (id int)")
    refused(tenant.reader, f"delete from {tenant.names.analytics}.dashboard_summary")


def test_a_reader_sees_its_own_fleet_rows_of_the_current_release_whatever_it_sets(tenant, other):
    tenant.publish()
    current = tenant.publish()
    other.publish()
    query = "select tenant_id, release from analytics.dashboard_summary"
    with tenant.reader.begin() as connection:
        for setting in (f"set sluice.tenant = '{other}'", "set row_security = off"):
            connection.exec_driver_sql(setting)
        with pytest.raises(exc.ProgrammingError, match="row-level security"):
            connection.exec_driver_sql(query)
    assert allowed(tenant.reader, query) == [(str(tenant), current)]
    assert allowed(tenant.reader, "select tenant_id from analytics.current_release") == [(str(tenant),)]
    everything = f"{query} where tenant_id in ('{tenant}', '{other}')"
    assert len(allowed(tenant.engine, everything)) == 3
    refused(tenant.reader, "update analytics.current_release set release = 1")


def test_a_reader_sees_its_own_entries_of_the_journals(tenant, other):
    for each in (tenant, other):
        allowed(
            tenant.engine,
            "insert into analytics.airbyte_sync_history (tenant_id, source, job_id, status, row_count, byte_count)"
            f" values ('{each}', 'stripe', '1', 'succeeded', 1, 1)",
        )
    assert allowed(tenant.reader, "select tenant_id from analytics.airbyte_sync_history") == [(str(tenant),)]


@pytest.mark.parametrize("database", ["postgres", "sluice_dagster", "sluice"])
def test_a_login_reaches_no_other_database(tenant, database):
    url = tenant.reader.url.set(drivername="postgresql", database=database).render_as_string(hide_password=False)
    with pytest.raises(exc.OperationalError, match="permission denied for database"):
        allowed(open_engine(url), "select 1")


def test_the_loader_does_not_touch_releases(tenant, loader):
    tenant.publish()
    tenant.load(tenant.names.raw, "stripe_charges")
    refused(loader, f"select * from {tenant.names.analytics}.dashboard_summary")
    refused(loader, "select * from sluice.tenants")


def test_a_login_has_a_connection_limit(tenant):
    sessions = []
    try:
        with pytest.raises(exc.OperationalError, match="too many connections"):
            for _ in range(50):
                sessions.append(tenant.builder.connect())
        assert allowed(tenant.reader, "select 1")
    finally:
        for session in sessions:
            session.close()
