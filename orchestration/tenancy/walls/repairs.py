"""Looking at every tenant's walls, and setting right what is not as described."""

from collections.abc import Callable
from contextlib import nullcontext, suppress
from itertools import groupby

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, select

from analysis.errors import PermanentError
from analysis.store import audit
from analysis.store.releases import KEPT, list_releases
from analysis.store.tables import releases
from analysis.store.tenants import list_tenants, lock_tenant
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.schemas import create_schemas, schema_exists
from orchestration.tenancy.secrets import SecretKey
from orchestration.tenancy.statements import fetch, run, transaction
from orchestration.tenancy.walls.credentials import set_passwords
from orchestration.tenancy.walls.faults import Fault, Fleet
from orchestration.tenancy.walls.grants import LOADER, grant_schema, grant_tables
from orchestration.tenancy.walls.keepers import as_keeper, holding
from orchestration.tenancy.walls.login_faults import login_faults
from orchestration.tenancy.walls.object_faults import object_faults
from orchestration.tenancy.walls.outside_faults import outside_faults
from orchestration.tenancy.walls.roles import create_roles, tenant_of_login

STANDING = ("active", "paused")
_ROUNDS = 3
_REFUSALS = (psycopg.ProgrammingError, psycopg.InternalError, PermanentError)


def find_faults(engine: Engine, *, loader: str = LOADER) -> list[Fault]:
    """Everything about the walls of active and paused tenants that is not as described, in one snapshot."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        fleet = _fleet(connection, loader)
        found = {
            *login_faults(connection, fleet),
            *object_faults(connection, fleet),
            *outside_faults(connection, fleet),
        }
    return sorted(found)


def _fleet(connection: Connection, loader: str) -> Fleet:
    is_sealed = releases.c.sealed_at.is_not(None)
    sealed = select(releases.c.tenant_id).where(releases.c.status == "building", is_sealed)
    return Fleet(
        tenants=[TenantNames(TenantId(row.tenant_id)) for row in list_tenants(connection) if row.status in STANDING],
        control=str(fetch(connection, "select current_user")[0][0]),
        sealed=frozenset(connection.execute(sealed).scalars()),
        loader=loader,
    )


def repair_all(
    engine: Engine, key: SecretKey, *, admin: Engine | None = None, loader: str = LOADER
) -> tuple[list[Fault], list[Fault]]:
    """Set right what can be, each step in a transaction of its own, audited; returns what was mended and what was not.

    What only a superuser may do needs a superuser's engine.
    """
    first = faults = find_faults(engine, loader=loader)
    for _ in range(_ROUNDS):  # a thing that has another owner at last may want grants too
        for tenant, group in groupby(faults, key=lambda fault: fault.tenant):
            found = list(group)
            for fault in found:
                if fault.statement:
                    _mend(engine, admin, fault)
            missing = [fault for fault in found if not fault.statement]
            if missing:
                _restore(engine, key, TenantNames(TenantId(tenant)), missing, loader)
        left = find_faults(engine, loader=loader)
        if not left or left == faults:
            break
        faults = left
    return [fault for fault in first if fault not in left], left


def _mend(engine: Engine, admin: Engine | None, fault: Fault) -> None:
    """Run one fault's statement with the least rights that may; where nobody's may, the fault stays."""
    attempts: list[tuple[Engine, Callable[[Connection, Fault], None]]] = [(engine, _mend_as_control)]
    if fault.of_role:
        attempts.insert(0, (engine, _mend_as_keeper))
    if admin is not None:
        attempts.append((admin, _mend_as_owner))
    for runner, attempt in attempts:
        with suppress(*_REFUSALS), transaction(runner) as connection:
            attempt(connection, fault)
            _record(connection, fault.tenant, [fault])
            return


def _mend_as_keeper(connection: Connection, fault: Fault) -> None:
    as_keeper(connection, TenantId(fault.tenant), "{}", sql.SQL(fault.statement))


def _mend_as_control(connection: Connection, fault: Fault) -> None:
    tenant = tenant_of_login(fault.owner)
    with holding(connection, tenant, fault.owner) if tenant else nullcontext():
        _mend_as_owner(connection, fault)


def _mend_as_owner(connection: Connection, fault: Fault) -> None:
    run(connection, "{}", sql.SQL(fault.statement))


def _restore(engine: Engine, key: SecretKey, names: TenantNames, faults: list[Fault], loader: str) -> None:
    """Give a tenant everything that it is described to have; what it has already stays."""
    with suppress(PermanentError), transaction(engine) as connection:
        tenant = lock_tenant(connection, names.tenant)
        if tenant is None or tenant.status not in STANDING:
            return
        create_roles(connection, names)
        create_schemas(connection, names, loader=loader)
        for release in list_releases(connection, names.tenant):
            if release.status == "published" and schema_exists(connection, names.analytics):
                grant_schema(connection, names, "analytics", names.analytics)
            elif release.status in KEPT and schema_exists(connection, names.release(release.number)):
                grant_tables(connection, names, "release", names.release(release.number))
        set_passwords(connection, names, key)
        _record(connection, str(names.tenant), faults)


def _record(connection: Connection, tenant: str, faults: list[Fault]) -> None:
    found = [{"thing": fault.thing, "wrong": fault.wrong} for fault in faults]
    audit.append(connection, tenant=tenant or None, action="grants.repair", detail={"found": found})
