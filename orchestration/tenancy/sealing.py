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
from orchestration.tenancy.roles import cut_sessions
from orchestration.tenancy.statements import fetch, run, transaction

_RELATIONS = """
select relname::text, relkind::text from pg_catalog.pg_class
where relnamespace = %(schema)s::regnamespace and relkind in ('r', 'v') order by relname
"""

# Anything else would either run its builder's words with its reader's rights, or not follow a rename.
_FOREIGN = """
select pg_catalog.pg_describe_object(classid, objid, 0) from pg_catalog.pg_depend
where refclassid = 'pg_catalog.pg_namespace'::regclass and refobjid = %(schema)s::regnamespace
  and not (classid = 'pg_catalog.pg_class'::regclass
           and exists (select from pg_catalog.pg_class where oid = objid and relkind in ('r', 'v')))
union all
select pg_catalog.pg_describe_object('pg_catalog.pg_rewrite'::regclass, rule.oid, 0)
from pg_catalog.pg_rewrite as rule join pg_catalog.pg_class on pg_class.oid = ev_class
where relnamespace = %(schema)s::regnamespace and rulename <> '_RETURN'
union all
select pg_catalog.pg_describe_object('pg_catalog.pg_trigger'::regclass, trigger.oid, 0)
from pg_catalog.pg_trigger as trigger join pg_catalog.pg_class on pg_class.oid = tgrelid
where relnamespace = %(schema)s::regnamespace and not tgisinternal
union all
select 'row security of table ' || relname from pg_catalog.pg_class
where relnamespace = %(schema)s::regnamespace and (relrowsecurity or relforcerowsecurity)
limit 1
"""

_COLUMNS = """
select attname::text from pg_catalog.pg_attribute join pg_catalog.pg_class on pg_class.oid = attrelid
where relnamespace = %(schema)s::regnamespace and relname = %(table)s and attnum > 0 and not attisdropped
"""

_GRANTEES = """
select distinct coalesce(pg_roles.rolname, 'public')::text
from pg_catalog.pg_class
cross join lateral pg_catalog.aclexplode(relacl) as granted
left join pg_catalog.pg_roles on pg_roles.oid = granted.grantee
where relnamespace = %(schema)s::regnamespace and granted.grantee <> relowner
"""


def seal_build(engine: Engine, tenant: str) -> ReleaseRow:
    """Close the build to its builder and take it over; a PermanentError names what a release may not hold."""
    names = TenantNames(TenantId(tenant))
    with transaction(engine) as connection:
        _building(connection, names)
        run(connection, "revoke create on schema {schema} from {role}", schema=names.build, role=names.builder)
    # A transaction that began before could still commit a table; one that begins now cannot create any.
    cut_sessions(engine, names.builder, only_working=True)
    with transaction(engine) as connection:
        release = _building(connection, names)
        relations = _take_over(connection, names)
        tables = [name for name, kind in relations if kind == "r"]
        for mart in fleet.MARTS:
            fill_fleet(connection, names, mart, release.number, tables)
        counts = {name: _count(connection, names.build, name) for name in tables}
        return mark_sealed(connection, names.tenant, release.number, counts)


def _building(connection: Connection, names: TenantNames) -> ReleaseRow:
    lock_tenant(connection, names.tenant)
    release = find_status(connection, names.tenant, "building")
    if release is None:
        raise PermanentError("The tenant has no build in progress; build first.", tenant=names.tenant)
    return release


def _take_over(connection: Connection, names: TenantNames) -> list[tuple[str, str]]:
    """Own every relation of the build, rid it of others' grants and let the reader select; returns (name, kind)."""
    foreign = fetch(connection, _FOREIGN, schema=_quoted(names.build))
    if foreign:
        message = "A release holds tables and views only; change the model that made this."
        raise PermanentError(message, tenant=names.tenant, found=foreign[0][0])
    run(connection, "revoke all on schema {schema} from {role}", schema=names.build, role=names.builder)
    relations = [(name, kind) for name, kind in fetch(connection, _RELATIONS, schema=_quoted(names.build))]
    for name, kind in relations:
        place = {"schema": names.build, "name": name}
        if kind == "v":
            # Its text is the builder's: it must never run with more rights than whoever reads it.
            run(connection, "alter view {schema}.{name} set (security_invoker = true)", **place)
        run(connection, "alter table {schema}.{name} owner to current_user", **place)
    _forget_grants(connection, names.build)
    run(connection, "grant select on all tables in schema {schema} to {role}", schema=names.build, role=names.reader)
    return relations


def _forget_grants(connection: Connection, schema: str) -> None:
    for (grantee,) in fetch(connection, _GRANTEES, schema=_quoted(schema)):
        role = sql.SQL("public") if grantee == "public" else sql.Identifier(grantee)
        run(connection, "revoke all on all tables in schema {schema} from {}", role, schema=schema)


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
