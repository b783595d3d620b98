"""The logins of a tenant: what they may do at all, and how they are cut off."""

import time

from psycopg import sql
from sqlalchemy import Connection, Engine

from analysis.errors import RetryableError
from analysis.store.fleet import READERS
from orchestration.tenancy.identifiers import TenantNames
from orchestration.tenancy.platform import BUILDERS
from orchestration.tenancy.statements import fetch, run, transaction

BUILDER_CONNECTIONS = 8
READER_CONNECTIONS = 16
_CUT_SECONDS = 10.0


def create_roles(connection: Connection, names: TenantNames) -> None:
    """Create the tenant's builder and reader, or set right what is there; they have no password yet."""
    # A control role that is no superuser needs this to take over what a builder owns.
    run(connection, "set local createrole_self_grant = 'set, inherit'")
    _create_login(connection, names.builder, BUILDER_CONNECTIONS)
    _create_login(connection, names.reader, READER_CONNECTIONS)
    run(connection, "alter role {role} set search_path = pg_catalog", role=names.builder)
    path = {"role": names.reader, "own": names.analytics, "fleet": "analytics"}
    run(connection, "alter role {role} set search_path = {own}, {fleet}", **path)
    for group, role in ((BUILDERS, names.builder), (READERS, names.reader)):
        run(connection, "grant {group} to {role} with inherit true, set false", group=group, role=role)


def _create_login(connection: Connection, role: str, limit: int) -> None:
    if not role_exists(connection, role):
        run(connection, "create role {role} login", role=role)
    run(connection, "alter role {role} login connection limit {}", sql.Literal(limit), role=role)


def role_exists(connection: Connection, role: str) -> bool:
    """Whether the cluster knows a role of this name."""
    return bool(fetch(connection, "select 1 from pg_catalog.pg_roles where rolname = %(role)s", role=role))


def drop_roles(connection: Connection, names: TenantNames) -> None:
    """Drop the tenant's logins and every grant to them; what is gone already is fine."""
    for role in (names.builder, names.reader):
        if role_exists(connection, role):
            run(connection, "drop owned by {role}", role=role)
            run(connection, "drop role {role}", role=role)


def forbid_logins(connection: Connection, names: TenantNames) -> None:
    """No new session of the tenant's logins from now on."""
    for role in (names.builder, names.reader):
        if role_exists(connection, role):
            run(connection, "alter role {role} nologin", role=role)


def cut_sessions(engine: Engine, *roles: str, only_working: bool = False) -> int:
    """End the roles' sessions (`only_working`: those inside a transaction) and wait until they are gone."""
    condition = "and xact_start is not null" if only_working else ""
    query = f"from pg_catalog.pg_stat_activity where usename = any(%(roles)s) {condition}"
    ended: set[int] = set()
    deadline = time.monotonic() + _CUT_SECONDS
    while True:
        with transaction(engine) as connection:
            rows = fetch(connection, f"select pid, pg_catalog.pg_terminate_backend(pid) {query}", roles=list(roles))
        if not rows:
            return len(ended)
        ended.update(pid for pid, _ in rows)
        if time.monotonic() > deadline:
            raise RetryableError("Sessions of a tenant did not end; try again.", roles=roles)
        time.sleep(0.02)
