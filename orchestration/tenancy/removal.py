"""Removing a tenant, and sweeping up what dead runs left behind."""

import contextlib

from sqlalchemy import Connection, Engine, delete

from analysis.store import fleet
from analysis.store.audit import append
from analysis.store.releases import find_status
from analysis.store.tenants import list_sources, list_tenants, retire_tenant, set_status
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.lock import TenantBusyError, run_lock
from orchestration.tenancy.publishing.builds import abandon_build
from orchestration.tenancy.publishing.releases import close_kept
from orchestration.tenancy.raw_names import raw_table_name, temporary_table_name
from orchestration.tenancy.registry import require_tenant
from orchestration.tenancy.schemas import drop_sample, drop_scratch
from orchestration.tenancy.statements import fetch, run, transaction
from orchestration.tenancy.walls.keepers import lock_logins
from orchestration.tenancy.walls.roles import cut_sessions, drop_roles, forbid_logins

_SCHEMAS = """
select nspname::text from pg_catalog.pg_namespace
where nspname = any(%(fixed)s)
   or (pg_catalog.starts_with(nspname::text, %(release)s)
       and substr(nspname::text, length(%(release)s) + 1) ~ '^[0-9]+$')
order by nspname
"""
_TABLES = "select relname::text from pg_catalog.pg_class where relnamespace = to_regnamespace(quote_ident(%(schema)s))"
_UNFINISHED = """
select relname::text from pg_catalog.pg_class
where relnamespace = to_regnamespace(%(internal)s) and relkind = 'r' and relname = any(%(names)s)
"""
INTERNAL = "airbyte_internal"
"""Where a loader of destination-postgres's kind keeps what it has not committed to a raw table yet."""


def begin_removal(engine: Engine, tenant: str) -> None:
    """From now on no run of the tenant starts and nobody logs in as it; what goes on meets its end at its next step."""
    names = TenantNames(TenantId(tenant))
    with transaction(engine) as connection:
        found = require_tenant(connection, tenant, even_removed=True)
        forbid_logins(connection, names)
        if found.status not in ("removing", "removed"):
            set_status(connection, names.tenant, "removing")
            append(connection, tenant=names.tenant, action="tenant.remove")


def remove_tenant(engine: Engine, tenant: str) -> None:
    """Drop a tenant's schemas, logins and fleet rows; refused during a run, and safe to run again.

    What the control plane remembers of it stays: its plans, mappings and reports come back with the tenant.
    """
    names = TenantNames(TenantId(tenant))
    with run_lock(engine, tenant) as lock:
        begin_removal(engine, tenant)
        cut_sessions(engine, names.builder, names.reader)
        schemas = tenant_schemas(engine, tenant)
        for schema in schemas:
            lock.check()
            with transaction(engine) as connection:
                _drop_unfinished_loads(connection, names, schema)
                run(connection, "drop schema if exists {schema} cascade", schema=schema)
        lock.check()
        with transaction(engine) as connection:
            was = require_tenant(connection, tenant, even_removed=True).status
            rows = _erase_fleet_rows(connection, names)
            drop_roles(connection, names)
            retire_tenant(connection, names.tenant)
            if was != "removed":
                detail = {"schemas": schemas, "fleet_rows": rows}
                append(connection, tenant=names.tenant, action="tenant.removed", detail=detail)


def tenant_schemas(engine: Engine, tenant: str) -> list[str]:
    """Every schema that the database has of a tenant, kept releases too."""
    names = TenantNames(TenantId(tenant))
    fixed = [names.raw, names.sample, names.scratch, names.analytics, names.build, names.history]
    with transaction(engine) as connection:
        return [name for (name,) in fetch(connection, _SCHEMAS, fixed=fixed, release=f"{names.analytics}__r")]


def _drop_unfinished_loads(connection: Connection, names: TenantNames, schema: str) -> None:
    """Drop the loader's temporary tables of a schema's tables: a job that was killed leaves the rows of its stream."""
    tables = {name for (name,) in fetch(connection, _TABLES, schema=schema)}
    for source in list_sources(connection, names.tenant):
        tables |= {raw_table_name(f"{source.name}_", str(stream["name"])) for stream in source.streams}
    temporary = [temporary_table_name(schema, name) for name in tables]
    for (name,) in fetch(connection, _UNFINISHED, internal=INTERNAL, names=temporary):
        run(connection, "drop table if exists {internal}.{name}", internal=INTERNAL, name=name)


def _erase_fleet_rows(connection: Connection, names: TenantNames) -> int:
    erased = 0
    for table in (*fleet.MARTS, fleet.current_release):
        erased += connection.execute(delete(table).where(table.c.tenant_id == str(names.tenant))).rowcount
    # Nobody, the owner included, may delete from a journal: the right exists inside this transaction only.
    lock_logins(connection)
    for table in fleet.JOURNALS:
        place = {"schema": fleet.SCHEMA, "table": table.name}
        run(connection, "grant delete on {schema}.{table} to current_user", **place)
        erased += connection.execute(delete(table).where(table.c.tenant_id == str(names.tenant))).rowcount
        run(connection, "revoke delete on {schema}.{table} from current_user", **place)
    return erased


def sweep_orphans(engine: Engine) -> list[str]:
    """Sweep up after every tenant that has no run in progress and return the schemas that were dropped."""
    with transaction(engine) as connection:
        tenants = [row.tenant_id for row in list_tenants(connection) if row.status in ("active", "paused")]
    dropped: list[str] = []
    for tenant in tenants:
        with contextlib.suppress(TenantBusyError), run_lock(engine, tenant):
            dropped += sweep_tenant(engine, tenant)
    return dropped


def sweep_tenant(engine: Engine, tenant: str) -> list[str]:
    """Drop the sample, proof and build that a dead run left and return their schemas; the caller holds the run lock."""
    names = TenantNames(TenantId(tenant))
    leftover = [name for name in tenant_schemas(engine, tenant) if name in (names.sample, names.scratch, names.build)]
    with transaction(engine) as connection:
        building = find_status(connection, names.tenant, "building")
    drop_sample(engine, tenant)
    drop_scratch(engine, tenant)
    if building is not None or names.build in leftover:
        abandon_build(engine, tenant, "The last build did not finish.")
    close_kept(engine, tenant)
    return leftover
