"""Taking a build out of its builder's hands: checked, owned by the control role, its marts copied to the fleet."""

from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, Table

from analysis.errors import PermanentError
from analysis.store import fleet
from analysis.store.releases import ReleaseRow, find_status, mark_sealed
from analysis.store.tenants import lock_tenant
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.publishing.contents import find_forbidden
from orchestration.tenancy.statements import fetch, grantee, run, transaction
from orchestration.tenancy.walls.grants import grant_tables
from orchestration.tenancy.walls.keepers import holding
from orchestration.tenancy.walls.roles import cut_sessions

_RELATIONS = """
select relname::text, relkind::text from pg_catalog.pg_class
where relnamespace = %(schema)s::regnamespace and relkind in ('r', 'v') order by relname
"""

_COLUMNS = """
select attname::text from pg_catalog.pg_attribute join pg_catalog.pg_class on pg_class.oid = attrelid
where relnamespace = %(schema)s::regnamespace and relname = %(table)s and attnum > 0 and not attisdropped
"""

_GRANTEES = """
select distinct coalesce(pg_roles.rolname, 'public')::text
from pg_catalog.pg_class
cross join lateral (
    select grantee from pg_catalog.aclexplode(relacl)
    union select grantee from pg_catalog.pg_attribute cross join lateral pg_catalog.aclexplode(attacl)
    where attrelid = pg_class.oid
) as granted
left join pg_catalog.pg_roles on pg_roles.oid = granted.grantee
where relnamespace = %(schema)s::regnamespace and granted.grantee <> relowner
"""


def seal_build(engine: Engine, tenant: str, number: int | None = None) -> ReleaseRow:
    """Close the build (of this number) to its builder and take it over; a PermanentError names what it may not hold."""
    names = TenantNames(TenantId(tenant))
    with transaction(engine) as connection:
        number = require_build(connection, names, number).number
        run(connection, "revoke create on schema {schema} from {role}", schema=names.build, role=names.builder)
    # A transaction that began before could still commit a table; one that begins now cannot create any.
    cut_sessions(engine, names.builder, only_working=True)
    with transaction(engine) as connection:
        require_build(connection, names, number)
        with holding(connection, names.tenant, names.builder):
            relations = _take_over(connection, names)
    # The long part holds no lock on the tenant, so that a rollback meanwhile need not wait for it.
    with transaction(engine) as connection:
        tables = [name for name, kind in relations if kind == "r"]
        for mart in fleet.MARTS:
            fill_fleet(connection, names, mart, number, tables)
        counts = {name: _count(connection, names.build, name) for name in tables}
        require_build(connection, names, number)
        return mark_sealed(connection, names.tenant, number, counts)


def require_build(connection: Connection, names: TenantNames, number: int | None = None) -> ReleaseRow:
    """The build in progress, the tenant locked; a PermanentError when there is none, or not the one of this number."""
    lock_tenant(connection, names.tenant)
    release = find_status(connection, names.tenant, "building")
    if release is None:
        raise PermanentError("The tenant has no build in progress; build first.", tenant=names.tenant)
    if number not in (None, release.number):
        message = "Another run has begun a build since; wait for its end."
        raise PermanentError(message, tenant=names.tenant, release=number, since=release.number)
    return release


def _take_over(connection: Connection, names: TenantNames) -> list[tuple[str, str]]:
    """Own every relation of the build, rid it of others' grants and let the reader select; returns (name, kind)."""
    run(connection, "revoke all on schema {schema} from {role}", schema=names.build, role=names.builder)
    relations = [(name, kind) for name, kind in fetch(connection, _RELATIONS, schema=_quoted(names.build))]
    for name, kind in relations:
        place = {"schema": names.build, "name": name}
        if kind == "v":
            # Its text is the builder's: it must never run with more rights than whoever reads it.
            run(connection, "alter view {schema}.{name} set (security_invoker = true)", **place)
        run(connection, "alter table {schema}.{name} owner to current_user", **place)
    # Only now can the builder add nothing more to what is looked at.
    forbidden = find_forbidden(connection, names.build)
    if forbidden:
        message = "A release holds tables and views only; change the model that made this."
        raise PermanentError(message, tenant=names.tenant, found=forbidden)
    _forget_grants(connection, names.build)
    grant_tables(connection, names, "release", names.build)
    return relations


def _forget_grants(connection: Connection, schema: str) -> None:
    for (role,) in fetch(connection, _GRANTEES, schema=_quoted(schema)):
        run(connection, "revoke all on all tables in schema {schema} from {} cascade", grantee(role), schema=schema)


def fill_fleet(connection: Connection, names: TenantNames, mart: Table, number: int, tables: list[str]) -> None:
    """Copy a sealed mart into its fleet table by column name, replacing the release's rows; views are never read."""
    clear_fleet(connection, mart, names.tenant, [number])
    if mart.name not in tables:
        return
    wanted = [column.name for column in mart.columns if column.name not in ("tenant_id", "release")]
    found = {name for (name,) in fetch(connection, _COLUMNS, schema=_quoted(names.build), table=mart.name)}
    missing = [name for name in wanted if name not in found]
    if missing:
        raise PermanentError("A mart lacks columns of its fleet table.", mart=mart.name, missing=missing)
    columns = sql.SQL(", ").join(map(sql.Identifier, wanted))
    values = (sql.Literal(str(names.tenant)), sql.Literal(number), columns)
    target = {"fleet": fleet.SCHEMA, "mart": mart.name, "build": names.build}
    statement = "insert into {fleet}.{mart} (tenant_id, release, {}) select {}, {}, {} from {build}.{mart}"
    try:
        run(connection, statement, columns, *values, **target)
    except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
        # Only the sentence: the detail of such an error quotes the tenant's values.
        reason = error.diag.message_primary
        raise PermanentError("A mart does not fit its fleet table.", mart=mart.name, reason=reason) from None


def clear_fleet(connection: Connection, mart: Table, tenant: str, numbers: list[int]) -> None:
    """Delete these releases of a tenant from a fleet table."""
    connection.execute(mart.delete().where(mart.c.tenant_id == str(tenant), mart.c.release.in_(numbers)))


def _count(connection: Connection, schema: str, table: str) -> int:
    rows: list[Any] = run(connection, "select count(*) from {schema}.{table}", schema=schema, table=table)
    return int(rows[0][0])


def _quoted(schema: str) -> str:
    return f'"{schema}"'
