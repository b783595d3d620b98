import socket
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from analysis.errors import PermanentError, RetryableError
from orchestration.settings import Settings
from orchestration.stack import bootstrap, lifecycle

STATE = """
select 'role', rolname, rolsuper, rolcreaterole, rolcreatedb, rolpassword from pg_authid where rolname like 'sluice%'
union all select 'database', datname, null, null, null, datacl::text from pg_database
union all select 'schema', nspname, null, null, null, nspowner::regrole || coalesce(nspacl::text, '') from pg_namespace
union all select 'member', roleid::regrole || '/' || member::regrole, inherit_option, set_option, admin_option, null
  from pg_auth_members
order by 1, 2, 3, 4, 5
"""


@pytest.fixture
def admin(postgres: Any) -> Iterator[psycopg.Connection[Any]]:
    url = bootstrap.with_database(postgres.admin_url, bootstrap.WAREHOUSE)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def stranger(admin: psycopg.Connection[Any]) -> Iterator[str]:
    """A login that was granted nothing."""
    name = f"stranger_{uuid4().hex[:8]}"
    admin.execute(sql.SQL("create role {} login password 'stranger'").format(sql.Identifier(name)))
    yield name
    admin.execute(sql.SQL("drop owned by {0} cascade; drop role {0}").format(sql.Identifier(name)))


def _bootstrap_again(postgres: Any) -> str:
    control_url = bootstrap.bootstrap_cluster(postgres.admin_url, postgres.home)
    bootstrap.bootstrap_roles(control_url, postgres.home)
    bootstrap.prepare_warehouse(control_url)
    return bootstrap.prepare_dagster_database(control_url, postgres.home)


def test_bootstrapping_again_changes_nothing_but_the_control_roles_verifier(
    postgres: Any, admin: psycopg.Connection[Any]
) -> None:
    def state() -> list[Any]:
        rows = admin.execute(STATE).fetchall()  # type: ignore[call-overload]
        return [row[:5] if row[1] == bootstrap.CONTROL else row for row in rows]

    before = state()
    _bootstrap_again(postgres)
    assert state() == before


def test_every_role_logs_in_with_the_password_that_is_kept(postgres: Any) -> None:
    for role in postgres.passwords:
        database = bootstrap.DAGSTER_DATABASE if role == bootstrap.DAGSTER else bootstrap.WAREHOUSE
        psycopg.connect(postgres.url(role, database)).close()


def test_the_loader_and_the_server_own_their_schemas_and_no_more(postgres: Any) -> None:
    for role, own, others in (
        ("sluice_loader", "airbyte_internal", "airbyte"),
        ("sluice_airbyte", "airbyte", "public"),
    ):
        with psycopg.connect(postgres.url(role), autocommit=True) as connection:
            connection.execute(sql.SQL("create table {}.probe ()").format(sql.Identifier(own)))
            connection.execute(sql.SQL("drop table {}.probe").format(sql.Identifier(own)))
            for statement in (f"create table {others}.probe ()", f"create schema {others}_probe"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)  # type: ignore[call-overload]


@pytest.mark.parametrize("database", ["sluice", "sluice_dagster", "postgres", "template1"])
def test_a_login_that_was_granted_nothing_cannot_even_connect(postgres: Any, stranger: str, database: str) -> None:
    url = bootstrap.with_login(bootstrap.with_database(postgres.control_url, database), stranger, "stranger")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(url)


def test_the_control_role_sets_the_loaders_defaults_and_takes_over_its_tables(postgres: Any, database: str) -> None:
    loader = bootstrap.with_login(database, bootstrap.LOADER, postgres.passwords[bootstrap.LOADER])
    with psycopg.connect(database, autocommit=True) as control, psycopg.connect(loader, autocommit=True) as other:
        control.execute(
            "create role reader_of_raw; create schema raw; grant create, usage on schema raw to sluice_loader"
        )
        try:
            control.execute(
                "alter default privileges for role sluice_loader in schema raw grant select on tables to reader_of_raw"
            )
            other.execute("create table raw.charges (id int)")
            assert control.execute(
                "select has_table_privilege('reader_of_raw', 'raw.charges', 'select')"
            ).fetchone() == (True,)
            control.execute("alter table raw.charges owner to sluice_control")
            control.execute("drop schema raw cascade")
        finally:
            control.execute("drop owned by reader_of_raw; drop role reader_of_raw")


def test_a_role_that_the_control_role_creates_is_in_its_hands(postgres: Any) -> None:
    with psycopg.connect(postgres.control_url) as control:
        control.execute("create role tenant_probe_builder login")
        row = control.execute(
            "select pg_has_role('tenant_probe_builder', 'usage'), pg_has_role('tenant_probe_builder', 'set')"
        ).fetchone()
        control.rollback()
    assert row == (True, True)


def test_a_given_database_is_bootstrapped_with_the_control_role_alone(postgres: Any, database: str) -> None:
    given = SecretStr(database.replace("postgresql://", "postgres://", 1))
    for _ in range(2):
        urls = lifecycle.start_databases(Settings(home=postgres.home, database_url=given))
        assert urls.control == database
        psycopg.connect(urls.dagster).close()
    with psycopg.connect(database) as control:
        assert control.execute("select extname from pg_extension where extname = 'vector'").fetchone()


def test_an_old_server_is_refused(postgres: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "OLDEST", 990000)
    with pytest.raises(PermanentError, match="too old"):
        bootstrap.bootstrap_roles(postgres.control_url, postgres.home)


def test_a_role_that_may_not_create_roles_is_refused(postgres: Any) -> None:
    with pytest.raises(PermanentError, match="may not create roles; give it CREATEROLE"):
        bootstrap.bootstrap_roles(postgres.url(bootstrap.LOADER), postgres.home)


def test_a_database_without_vector_asks_for_an_administrator(postgres: Any) -> None:
    name = f"bare_{uuid4().hex[:8]}"
    with psycopg.connect(postgres.control_url, autocommit=True) as control:
        control.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
        try:
            with pytest.raises(PermanentError, match="administrator may create the extension `vector`"):
                bootstrap.prepare_warehouse(bootstrap.with_database(postgres.control_url, name))
        finally:
            control.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))


def test_a_role_of_the_same_name_in_other_hands_is_refused(postgres: Any, admin: psycopg.Connection[Any]) -> None:
    admin.execute(
        "create role rival login createrole password 'rival'; grant create, connect on database sluice to rival"
    )
    try:
        with pytest.raises(PermanentError, match="role sluice_loader exists already and is not ours"):
            bootstrap.bootstrap_roles(bootstrap.with_login(postgres.control_url, "rival", "rival"), postgres.home)
    finally:
        admin.execute("drop owned by rival; drop role rival")


def test_an_unreachable_server_is_named_without_the_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with (
        pytest.raises(RetryableError, match=f"not reachable.*127.0.0.1:{port}") as caught,
        bootstrap.connect(f"postgresql://someone:hidden@127.0.0.1:{port}/sluice"),
    ):
        pass
    assert "hidden" not in str(caught.value)


def test_a_refused_login_is_permanent(postgres: Any) -> None:
    url = bootstrap.with_login(postgres.control_url, bootstrap.CONTROL, "hidden")
    with pytest.raises(PermanentError, match="refuses the login") as caught, bootstrap.connect(url):
        pass
    assert "hidden" not in str(caught.value)


def test_no_password_reaches_the_servers_log(postgres: Any) -> None:
    _bootstrap_again(postgres)
    log = (postgres.home / "logs" / "postgres.log").read_text()
    assert not [role for role, password in postgres.passwords.items() if password in log]
