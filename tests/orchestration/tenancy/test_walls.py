"""What a tenant's logins may do, each refusal beside the same statement where it is allowed."""

import pytest
from sqlalchemy import Engine, exc, text

from analysis.store.connect import open_engine
from orchestration.stack import bootstrap
from orchestration.tenancy import schemas
from orchestration.tenancy.publishing import sealing


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
            "insert into analytics.airbyte_sync_history (tenant_id, connection_id, connection_name, job_id, status)"
            f" values ('{each}', 'c1', 'stripe', '1', 'succeeded')",
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


def test_builder_and_reader_log_in_with_scram_passwords_of_their_own(tenant, other, as_admin):
    logins = [login for each in (tenant, other) for login in (each.names.builder, each.names.reader)]
    kept = as_admin(f"select rolpassword from pg_authid where rolname in ({str(logins)[1:-1]})")
    assert len({verifier for (verifier,) in kept}) == 4
    assert all(verifier.startswith("SCRAM-SHA-256$") for (verifier,) in kept)
    stored = allowed(tenant.engine, "select password_encrypted from sluice.tenant_credentials")
    assert not [row for row in stored for each in (tenant, other) if each.reader.url.password in row[0]]
    wrong = tenant.reader.url.set(password=tenant.builder.url.password)
    with pytest.raises(exc.OperationalError, match="authentication failed"):
        allowed(open_engine(wrong.set(drivername="postgresql").render_as_string(hide_password=False)), "select 1")


def test_a_login_is_what_it_logged_in_as_and_starts_where_it_is_described_to(tenant):
    who = "select session_user::text, current_user::text, current_setting('search_path'), current_setting('role')"
    for login, path in (("builder", "pg_catalog"), ("reader", f"{tenant.names.analytics}, analytics")):
        role = getattr(tenant.names, login)
        with getattr(tenant, login).connect() as connection:
            connection.exec_driver_sql("reset role")
            assert connection.exec_driver_sql(who).one() == (role, role, path, "none")
        timeouts = "select current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout')"
        assert "0" not in allowed(getattr(tenant, login), timeouts)[0]


def test_the_control_role_owns_every_schema_of_a_tenant_and_every_relation_of_a_release(tenant):
    schemas.open_sample(tenant.engine, str(tenant))
    schemas.open_scratch(tenant.engine, str(tenant))
    tenant.publish()
    tenant.publish()
    tenant.build()
    owned = "select nspname::text, nspowner::regrole::text from pg_namespace where nspname = any(:names)"
    relations = "select distinct relowner::regrole::text from pg_class where relnamespace::regnamespace::text = :name"
    with tenant.engine.connect() as connection:
        names = tenant.schemas()
        owners = dict(connection.execute(text(owned), {"names": list(names)}).tuples().all())
        assert owners == dict.fromkeys(names, bootstrap.CONTROL) and len(names) == 7
        for name, owner in (
            (tenant.names.build, tenant.names.builder),  # until it is sealed
            (tenant.names.analytics, bootstrap.CONTROL),
            (tenant.names.release(1), bootstrap.CONTROL),
        ):
            assert connection.execute(text(relations), {"name": name}).scalars().all() == [owner]
    for statement in ("drop schema {}", "alter schema {} rename to mine", "alter schema {} owner to current_user"):
        refused(tenant.builder, statement.format(tenant.names.build), "must be owner")


def test_the_builders_right_to_create_ends_with_the_seal(tenant):
    right = f"select has_schema_privilege('{tenant.names.builder}', '{tenant.names.build}', 'create')"
    tenant.build()
    assert allowed(tenant.engine, right) == [(True,)]
    sealing.seal_build(tenant.engine, str(tenant))
    assert allowed(tenant.engine, right) == [(False,)]


CLOSED = (
    "lo_create(0)",
    "lo_creat(-1)",
    "lo_from_bytea(0, 'x')",
    "lo_get(1)",
    "lo_open(1, 262144)",
    "lo_import('/etc/passwd')",
    "lo_export(1, '/tmp/x')",
    "lo_put(1, 0, 'x')",
    "loread(0, 1)",
    "pg_advisory_lock(1)",
    "pg_try_advisory_lock(1, 2)",
    "pg_advisory_unlock_all()",
    "pg_logical_emit_message(false, 'x', 'y')",
)


def test_functions_that_hurt_others_are_closed_to_every_login(tenant):
    for login in (tenant.builder, tenant.reader):
        for call in CLOSED:
            refused(login, f"select {call}", "permission denied for function")


def test_a_login_cannot_lift_the_limit_of_its_temporary_files(tenant):
    for login in (tenant.builder, tenant.reader):
        assert allowed(login, "show temp_file_limit") == [("2GB",)]
        for statement in ("set temp_file_limit = -1", "alter role current_user set temp_file_limit = -1"):
            refused(login, statement)
    assert allowed(tenant.engine, "show temp_file_limit") == allowed(tenant.loader, "show temp_file_limit") == [("-1",)]
