"""Roles, databases and schemas that everything else stands on; running it again changes nothing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from analysis.errors import PermanentError, RetryableError
from orchestration.stack import hardening
from orchestration.stack.kept_secrets import keep_named_secret

CONTROL, LOADER, AIRBYTE, DAGSTER = "sluice_control", "sluice_loader", "sluice_airbyte", "sluice_dagster"
WAREHOUSE, DAGSTER_DATABASE = "sluice", "sluice_dagster"
SCHEMA_OWNERS: Mapping[str, str] = {"airbyte": AIRBYTE, "airbyte_internal": LOADER}
OLDEST = 160000
Connection = psycopg.Connection[tuple[object, ...]]


def bootstrap_cluster(admin_url: str, home: Path) -> str:
    """Create the control role and the warehouse with the superuser's login; returns the control role's URL."""
    password = keep_named_secret(home, CONTROL)
    with connect(admin_url) as admin:
        _create_role(admin, CONTROL, "createrole createdb")
        _set_password(admin, CONTROL, password)
        _create_database(admin, WAREHOUSE, CONTROL)
        hardening.strengthen_control(admin, CONTROL)
        for database in ("postgres", "template1"):  # no tenant's login has business there
            _close_to_public(admin, database)
    with connect(with_database(admin_url, WAREHOUSE)) as admin:
        admin.execute("create extension if not exists vector")
        hardening.close_functions(admin, CONTROL)
    return with_login(with_database(admin_url, WAREHOUSE), CONTROL, password)


def bootstrap_roles(control_url: str, home: Path) -> None:
    """Create the other roles with the control role's login and see that it may act as each of them."""
    with connect(control_url) as control:
        _check_server(control)
        control.execute("alter role current_user set createrole_self_grant = 'set, inherit'")
        control.execute("set createrole_self_grant = 'set, inherit'")
        for role in (LOADER, AIRBYTE, DAGSTER):
            _create_role(control, role, "")
            _take_hold(control, role)
            hardening.strengthen_login(control, role)
            password = keep_named_secret(home, role)
            if not _can_log_in(with_login(control_url, role, password)):
                _set_password(control, role, password)


def prepare_warehouse(control_url: str) -> None:
    """Close the database to the public and create the schemas of Airbyte and of its loader."""
    with connect(control_url) as control:
        _require_vector(control)
        _close_to_public(control, control.info.dbname)
        if _is_superuser(control):
            hardening.close_functions(control, control.info.user)
        for role in (LOADER, AIRBYTE):
            control.execute(
                sql.SQL("grant connect on database {} to {}").format(
                    sql.Identifier(control.info.dbname), sql.Identifier(role)
                )
            )
            hardening.pass_on_locks(control, role)
        for schema, owner in SCHEMA_OWNERS.items():
            control.execute(
                sql.SQL("create schema if not exists {} authorization {}").format(
                    sql.Identifier(schema), sql.Identifier(owner)
                )
            )


def prepare_dagster_database(control_url: str, home: Path) -> str:
    """Create the database of Dagster's storage beside the warehouse; returns its owner's URL."""
    with connect(control_url) as control:
        _create_database(control, DAGSTER_DATABASE, DAGSTER)
        control.execute(
            sql.SQL("grant connect on database {} to {}").format(
                sql.Identifier(DAGSTER_DATABASE), sql.Identifier(DAGSTER)
            )
        )
    url = with_login(with_database(control_url, DAGSTER_DATABASE), DAGSTER, keep_named_secret(home, DAGSTER))
    with connect(url) as dagster:
        _close_to_public(dagster, DAGSTER_DATABASE)
    return url


def with_database(url: str, database: str) -> str:
    """The same server and login, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{quote(database, safe='')}"))


def with_login(url: str, role: str, password: str) -> str:
    """The same server and database, another login."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(role, safe='')}:{quote(password, safe='')}@{place}"))


@contextmanager
def connect(url: str) -> Iterator[Connection]:
    """An autocommit connection; a server out of reach or a refused statement is an error that names the place."""
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise _connection_error(url, error) from error
    with connection:
        try:
            yield connection
        except psycopg.errors.InsufficientPrivilege as error:
            raise PermanentError(
                "PostgreSQL refuses what Sluice needs; grant it to this role or use another one.",
                role=connection.info.user,
                database=connection.info.dbname,
                reason=_first_line(error),
            ) from error
        except psycopg.OperationalError as error:  # a full disk, a server that goes away
            raise RetryableError(
                "PostgreSQL could not do what was asked; see the reason, then try again.",
                database=connection.info.dbname,
                reason=_first_line(error),
            ) from error


def _connection_error(url: str, error: psycopg.OperationalError) -> PermanentError | RetryableError:
    reason = str(error).strip().splitlines()[-1] if str(error).strip() else "no reason given"
    place = urlsplit(url).netloc.rpartition("@")[2]
    database = urlsplit(url).path.lstrip("/")
    if "authentication failed" in reason or "does not exist" in reason:
        return PermanentError(
            "PostgreSQL refuses the login; check user, password and database of the URL.",
            server=place,
            database=database,
            reason=reason,
        )
    return RetryableError(
        "PostgreSQL is not reachable; is it running, and is the URL right?",
        server=place,
        database=database,
        reason=reason,
    )


def _first_line(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error).splitlines()[0]


def _check_server(control: Connection) -> None:
    """Old servers and roles that may not create roles are refused before anything is changed."""
    if control.info.server_version < OLDEST:
        raise PermanentError(
            "This PostgreSQL is too old; Sluice needs 16 or newer.",
            server=control.info.host,
            version=control.info.parameter_status("server_version"),
        )
    row = control.execute(
        "select rolcreaterole or rolsuper, has_database_privilege(current_database(), 'create')"
        " from pg_roles where rolname = current_user"
    ).fetchone()
    may_create_roles, may_create_schemas = row or (False, False)
    if not may_create_roles:
        raise PermanentError(
            "The role of SLUICE_DATABASE_URL may not create roles; give it CREATEROLE.", role=control.info.user
        )
    if not may_create_schemas:
        raise PermanentError(
            "The role of SLUICE_DATABASE_URL may not create schemas; make it the owner of the database.",
            role=control.info.user,
            database=control.info.dbname,
        )


def _is_superuser(connection: Connection) -> bool:
    return connection.info.parameter_status("is_superuser") == "on"


def _require_vector(control: Connection) -> None:
    query = "select installed_version is not null from pg_available_extensions where name = 'vector'"
    row = control.execute(query).fetchone()
    if row is None:
        raise PermanentError(
            "The extension `vector` (pgvector) is missing on this PostgreSQL; install it on the server.",
            server=control.info.host,
        )
    if row[0]:
        return
    try:
        control.execute("create extension if not exists vector")
    except psycopg.errors.InsufficientPrivilege as error:
        raise PermanentError(
            "Only an administrator may create the extension `vector` here; have `create extension vector` run once.",
            database=control.info.dbname,
            role=control.info.user,
        ) from error


def _create_role(connection: Connection, role: str, attributes: str) -> None:
    if connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone() is None:
        connection.execute(sql.SQL("create role {} login").format(sql.Identifier(role)))
    if attributes:
        connection.execute(sql.SQL("alter role {} login {}").format(sql.Identifier(role), sql.SQL(attributes)))


def _take_hold(control: Connection, role: str) -> None:
    """The current role inherits from this one and may act as it: it sets its defaults and takes its tables."""
    query = "select pg_has_role(current_user, %s, 'usage') and pg_has_role(current_user, %s, 'set')"
    row = control.execute(query, [role, role]).fetchone()
    if row and row[0]:
        return
    try:
        control.execute(sql.SQL("grant {} to current_user with inherit true, set true").format(sql.Identifier(role)))
    except psycopg.errors.InsufficientPrivilege as error:
        raise PermanentError(
            f"The role {role} exists already and is not ours; have an administrator grant it with admin option.",
            role=control.info.user,
        ) from error


def _set_password(connection: Connection, role: str, password: str) -> None:
    """Set it as a SCRAM verifier made here, so that no log of the server can hold the password."""
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(verifier)))


def _can_log_in(url: str) -> bool:
    """False only when the server refuses the password; a database closed to the role does not matter here."""
    try:
        psycopg.connect(url, connect_timeout=10).close()
    except psycopg.OperationalError as error:
        return "authentication failed" not in str(error)
    return True


def _create_database(connection: Connection, database: str, owner: str) -> None:
    if connection.execute("select 1 from pg_database where datname = %s", [database]).fetchone() is None:
        connection.execute(
            sql.SQL("create database {} owner {}").format(sql.Identifier(database), sql.Identifier(owner))
        )


def _close_to_public(connection: Connection, database: str) -> None:
    connection.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(database)))
    if connection.info.dbname == database:
        connection.execute("revoke create on schema public from public")
