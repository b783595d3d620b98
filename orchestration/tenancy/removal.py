"""Removing a tenant, and sweeping up what dead runs left behind."""

import contextlib

from sqlalchemy import Connection, Engine, delete

from analysis.store import fleet
from analysis.store.releases import find_status
from analysis.store.tenants import delete_tenant, list_tenants, set_status
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.lock import TenantBusyError, run_lock
from orchestration.tenancy.registry import require_tenant
from orchestration.tenancy.releases import abandon_build, close_kept
from orchestration.tenancy.roles import cut_sessions, drop_roles, forbid_logins
from orchestration.tenancy.schemas import drop_sample, drop_scratch
from orchestration.tenancy.statements import fetch, run, transaction

_SCHEMAS = """
select nspname::text from pg_catalog.pg_namespace
where nspname = any(%(fixed)s)
   or (pg_catalog.starts_with(nspname::text, %(release)s)
       and substr(nspname::text, length(%(release)s) + 1) ~ '^[0-9]+$')
order by nspname
"""


def remove_tenant(engine: Engine, tenant: str) -> None:
    """Drop a tenant's schemas, logins, fleet rows and rows; refused during a run, and safe to run again."""
    names = TenantNames(TenantId(tenant))
    with run_lock(engine, tenant):
        with transaction(engine) as connection:
            require_tenant(connection, tenant)
            set_status(connection, names.tenant, "removing")
            forbid_logins(connection, names)
        cut_sessions(engine, names.builder, names.reader)
        for schema in tenant_schemas(engine, tenant):
            with transaction(engine) as connection:
                run(connection, "drop schema if exists {schema} cascade", schema=schema)
        with transaction(engine) as connection:
            _erase_fleet_rows(connection, names)
            drop_roles(connection, names)
            delete_tenant(connection, names.tenant)


def tenant_schemas(engine: Engine, tenant: str) -> list[str]:
    """Every schema that the database has of a tenant, kept releases too."""
    names = TenantNames(TenantId(tenant))
    fixed = [names.raw, names.sample, names.scratch, names.analytics, names.build, names.history]
    with transaction(engine) as connection:
        return [name for (name,) in fetch(connection, _SCHEMAS, fixed=fixed, release=f"{names.analytics}__r")]


def _erase_fleet_rows(connection: Connection, names: TenantNames) -> None:
    for table in (*fleet.MARTS, fleet.current_release):
        connection.execute(delete(table).where(table.c.tenant_id == str(names.tenant)))
    # Nobody, the owner included, may delete from a journal: the right exists inside this transaction only.
    fetch(connection, "select pg_advisory_xact_lock(hashtextextended('sluice journals', 0))")
    for table in fleet.JOURNALS:
        place = {"schema": fleet.SCHEMA, "table": table.name}
        run(connection, "grant delete on {schema}.{table} to current_user", **place)
        connection.execute(delete(table).where(table.c.tenant_id == str(names.tenant)))
        run(connection, "revoke delete on {schema}.{table} from current_user", **place)


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
