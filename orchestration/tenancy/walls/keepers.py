"""Roles that hold the tenants' logins for the control role, so that its own sessions stay quick among 10,000 tenants.

PostgreSQL walks every role that a role administers at each `create role`, `alter role` and `grant`; a keeper has few.
The control role reaches a keeper by a function of the keeper's, not by membership, which would make the walk its own.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy import Connection

from analysis.errors import PermanentError
from analysis.store.fleet import READERS
from orchestration.tenancy.identifiers import TenantId
from orchestration.tenancy.statements import fetch, run

BUILDERS = "sluice_builders"
GROUPS = (BUILDERS, READERS)
"""The groups of all tenants' builders and readers: ten thousand grants of CONNECT would slow every login."""
SCHEMA = "sluice_keepers"
PREFIX = "sluice_keeper_"

_READY = """
select 1 from pg_catalog.pg_proc
where pronamespace = (select oid from pg_catalog.pg_namespace where nspname = %(schema)s)
  and proname = %(keeper)s and prosecdef
  and proowner = (select oid from pg_catalog.pg_roles where rolname = %(keeper)s)
"""
_FUNCTION = """
create or replace function {schema}.{keeper}(statement text) returns void language plpgsql security definer
set search_path = pg_catalog, pg_temp set createrole_self_grant = '' as $$ begin execute statement; end $$
"""


def keeper_of(tenant: str) -> str:
    """The role that holds a tenant's logins: one of 256, by the id's hash."""
    return PREFIX + hashlib.sha256(tenant.encode()).hexdigest()[:2]


def as_keeper(connection: Connection, tenant: TenantId, statement: str, *parts: sql.Composable, **names: str) -> None:
    """Execute statements with the rights of the tenant's keeper: `{name}` takes a quoted name, `{}` a ready part."""
    keeper = keeper_of(tenant)
    if not is_installed(connection, keeper):
        install_keeper(connection, keeper)
    quoted = {key: sql.Identifier(name) for key, name in names.items()}
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, psycopg.Connection)
    text = sql.SQL(statement).format(*parts, **quoted).as_string(driver)
    run(connection, "select {schema}.{keeper}({})", sql.Literal(text), schema=SCHEMA, keeper=keeper)


@contextmanager
def holding(connection: Connection, tenant: TenantId, *roles: str) -> Iterator[None]:
    """The control role is a member of these logins of a tenant until the end, inside the connection's transaction.

    A transaction that fails takes the membership back by itself.
    """
    me = _me(connection)
    grants = "; ".join(["grant {} to {me} with inherit true, set true"] * len(roles))
    revokes = "; ".join(["revoke {} from {me}"] * len(roles))
    listed = [sql.Identifier(role) for role in roles]
    if roles:
        as_keeper(connection, tenant, grants, *listed, me=me)
    yield
    if roles:
        as_keeper(connection, tenant, revokes, *listed, me=me)


def is_installed(connection: Connection, keeper: str) -> bool:
    """Whether this database has the keeper's function, in the keeper's hands."""
    return bool(fetch(connection, _READY, schema=SCHEMA, keeper=keeper))


def lock_logins(connection: Connection) -> None:
    """One transaction at a time goes on; the lock is a table's, which no tenant can take, unlike an advisory one."""
    run(connection, "lock table sluice.tenant_credentials in share row exclusive mode")


def install_keeper(connection: Connection, keeper: str) -> None:
    """Make the keeper, unless another database made it, and its function in this one; safe to repeat and at once."""
    lock_logins(connection)
    make_keeper(connection, keeper)
    run(connection, "create schema if not exists {schema}", schema=SCHEMA)
    place = {"schema": SCHEMA, "keeper": keeper}
    run(
        connection, "drop function if exists {schema}.{keeper}(text)", **place
    )  # a restored one may not be the keeper's
    run(connection, "grant create, usage on schema {schema} to {keeper}", **place)
    me = _me(connection)
    run(connection, "set local role {keeper}", keeper=keeper)
    run(connection, _FUNCTION, **place)
    run(connection, "revoke all on function {schema}.{keeper}(text) from public", **place)
    run(connection, "grant execute on function {schema}.{keeper}(text) to {me}", me=me, **place)
    run(connection, "set local role none")
    run(connection, "revoke all on schema {schema} from {keeper}", **place)


def make_keeper(connection: Connection, keeper: str) -> None:
    """The keeper's role, which the current role may act as and which may hand out the groups."""
    held = "select pg_catalog.pg_has_role(rolname, 'set') from pg_catalog.pg_roles where rolname = %(keeper)s"
    is_held = fetch(connection, held, keeper=keeper)
    if is_held and not is_held[0][0]:
        grant = f"grant {keeper} to {_me(connection)} with admin true, inherit false, set true"
        message = f"The role {keeper} exists already and is not ours; have an administrator run `{grant}`."
        raise PermanentError(message, role=keeper)
    if not is_held:
        run(connection, "set local createrole_self_grant = 'set'")
        run(connection, "create role {keeper} nologin createrole", keeper=keeper)
        for group in GROUPS:
            grant = "grant {group} to {keeper} with admin true, inherit false, set false"
            run(connection, grant, group=group, keeper=keeper)


def _me(connection: Connection) -> str:
    return str(fetch(connection, "select current_user")[0][0])
