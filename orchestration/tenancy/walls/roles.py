"""The logins of a tenant: made as their description says, and how they are cut off."""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Literal

from psycopg import sql
from sqlalchemy import Connection, Engine

from analysis.errors import PermanentError, RetryableError
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.statements import fetch, run, transaction
from orchestration.tenancy.walls.grants import LOGINS, settings_of
from orchestration.tenancy.walls.keepers import as_keeper, holding

_CUT_SECONDS = 10.0
_LOGIN = re.compile(r"tenant_(.+)_(?:builder|reader)")
_MAY_WATCH = """
select pg_catalog.pg_has_role('pg_read_all_stats', 'usage') and pg_catalog.pg_has_role('pg_signal_backend', 'usage')
"""
_SESSIONS = "select pid from pg_catalog.pg_stat_activity where usename = any(%(roles)s)"


def create_roles(connection: Connection, names: TenantNames) -> None:
    """Create the tenant's builder and reader, or set right what is there; they have no password yet."""
    create_login(connection, names, "builder")
    create_login(connection, names, "reader")


def create_login(connection: Connection, names: TenantNames, login: Literal["builder", "reader"]) -> None:
    """Create one login of a tenant, or give it again what it lacks."""
    role, rights = getattr(names, login), LOGINS[login]
    steps = ["alter role {role} login inherit connection limit {limit}"]
    if not role_exists(connection, role):
        steps.insert(0, "create role {role} login")
    steps.append("grant {group} to {role} with inherit true, set false, admin false")
    composed = [
        sql.SQL(step).format(
            role=sql.Identifier(role), group=sql.Identifier(rights.group), limit=sql.Literal(rights.connections)
        )
        for step in steps
    ]
    for setting, values in settings_of(names, login).items():
        listed = sql.SQL(", ").join(map(sql.Literal, values))
        alter = sql.SQL("alter role {} set {} = {}")
        composed.append(alter.format(sql.Identifier(role), sql.Identifier(setting), listed))
    as_keeper(connection, names.tenant, "{}", sql.SQL("; ").join(composed))


def role_exists(connection: Connection, role: str) -> bool:
    """Whether the cluster knows a role of this name."""
    return bool(fetch(connection, "select 1 from pg_catalog.pg_roles where rolname = %(role)s", role=role))


def drop_roles(connection: Connection, names: TenantNames) -> None:
    """Drop the tenant's logins and every grant to them; what is gone already is fine."""
    for role in (names.builder, names.reader):
        if role_exists(connection, role):
            with holding(connection, names.tenant, role):
                run(connection, "drop owned by {role}", role=role)
            as_keeper(connection, names.tenant, "drop role {role}", role=role)


def forbid_logins(connection: Connection, names: TenantNames) -> None:
    """No new session of the tenant's logins from now on."""
    for role in (names.builder, names.reader):
        if role_exists(connection, role):
            as_keeper(connection, names.tenant, "alter role {role} nologin", role=role)


def cut_sessions(engine: Engine, *roles: str, only_working: bool = False) -> int:
    """End the sessions of a tenant's roles (`only_working`: those inside a transaction); wait until they are gone."""
    ended: set[int] = set()
    deadline = time.monotonic() + _CUT_SECONDS
    while True:
        with transaction(engine) as connection:
            pids = _terminate(connection, roles, only_working)
        if not pids:
            return len(ended)
        ended.update(pids)
        if time.monotonic() > deadline:
            raise RetryableError("Sessions of a tenant did not end; try again.", roles=roles)
        time.sleep(0.02)


def tenant_of_login(role: str) -> TenantId | None:
    """Whose builder or reader a role is by its name, or None."""
    found = _LOGIN.fullmatch(role)
    with suppress(PermanentError):
        return TenantId(found[1]) if found else None
    return None


def end_session(engine: Engine, role: str, pid: int) -> None:
    """End one session of a tenant's login, or of another one where the control role may."""
    with transaction(engine) as connection, _acting_for(connection, [role]):
        fetch(connection, "select pg_catalog.pg_terminate_backend(%(pid)s)", pid=pid)


def may_watch(connection: Connection) -> bool:
    """Whether the control role sees and ends every tenant's work by a right of its own."""
    return bool(fetch(connection, _MAY_WATCH)[0][0])


def _terminate(connection: Connection, roles: tuple[str, ...], only_working: bool) -> list[int]:
    # Who is there anybody sees; what they do and their end are their members' alone.
    busy = [role for role in roles if fetch(connection, _SESSIONS, roles=[role])]
    condition = "and xact_start is not null" if only_working else ""
    query = "select pid, pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity"
    with _acting_for(connection, busy):
        rows = fetch(connection, f"{query} where usename = any(%(roles)s) {condition}", roles=busy) if busy else []
    return [pid for pid, _ in rows]


@contextmanager
def _acting_for(connection: Connection, roles: list[str]) -> Iterator[None]:
    """May see and end these logins' sessions: by right of its own, or else as their member for a moment."""
    tenants = [(tenant, role) for role in roles if (tenant := tenant_of_login(role))]
    with ExitStack() as held:
        if not may_watch(connection):
            for tenant, role in tenants:
                held.enter_context(holding(connection, tenant, role))
        yield
