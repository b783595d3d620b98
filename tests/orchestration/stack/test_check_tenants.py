"""What doctor says of walls on a server whose superuser we are not, where public functions stand open."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from analysis.store.migrate import upgrade
from orchestration.settings import Settings
from orchestration.stack import bootstrap, check_tenants, doctor


@pytest.fixture
def given(postgres: Any, tmp_path: Any) -> Iterator[tuple[str, Settings]]:
    """A database of the control role's as another server's administrator would have made it."""
    name = f"given_{uuid4().hex[:8]}"
    admin_url = bootstrap.with_database(postgres.admin_url, name)
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        make = sql.SQL("create database {} template template0 owner {}")
        admin.execute(make.format(sql.Identifier(name), sql.Identifier(bootstrap.CONTROL)))
        with psycopg.connect(admin_url, autocommit=True) as inside:
            inside.execute("create extension vector")
        url = bootstrap.with_database(postgres.control_url, name)
        yield admin_url, Settings(home=postgres.home, database_url=SecretStr(url))
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def test_open_functions_come_with_the_statement_that_closes_them(given: tuple[str, Settings]) -> None:
    admin_url, settings = given
    ((ok, sentence, remedy),) = check_tenants.closed_functions(settings)
    assert not ok and "no tenant should have" in sentence
    statement = remedy.partition("run, in the database ")[2].partition(": ")[2]
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(statement.encode())
    assert [ok for ok, _, _ in check_tenants.closed_functions(settings)] == [True]
    with psycopg.connect(admin_url) as admin:
        granted = "select has_function_privilege(%s, 'pg_advisory_lock(bigint)', 'execute')"
        for role in (bootstrap.CONTROL, bootstrap.LOADER, bootstrap.AIRBYTE):
            assert admin.execute(granted, [role]).fetchone() == (True,)
        row = admin.execute("select has_function_privilege('public', 'lo_create(oid)', 'execute')").fetchone()
    assert row == (False,)


def test_doctor_mends_a_tenants_walls_and_says_what_it_mended(given: tuple[str, Settings]) -> None:
    from analysis.store.connect import open_engine
    from orchestration.tenancy.registry import add_tenant
    from orchestration.tenancy.removal import remove_tenant
    from orchestration.tenancy.secrets import load_key

    admin_url, settings = given
    url = check_tenants.control_url(settings)
    assert url is not None
    assert list(check_tenants.tenants(settings)) == []  # of a schema that is not there another check speaks
    bootstrap.prepare_warehouse(url)
    upgrade(url)
    engine = open_engine(url)
    add_tenant(engine, load_key(settings), "acme")
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("grant usage on schema tenant_acme to public")
        findings = {finding.sentence: finding for finding in doctor.examine(settings) if finding.check == "tenants"}
        wrong = "Tenant acme: the schema tenant_acme grants USAGE to public."
        assert not findings[wrong].ok and "doctor --repair" in findings[wrong].remedy
        findings = {finding.sentence: finding for finding in doctor.examine(settings, repair=True)}
        assert findings[f"Mended: {wrong}"].ok and wrong not in findings
        assert "The walls of 1 tenants are as described." in findings
    remove_tenant(engine, "acme")
