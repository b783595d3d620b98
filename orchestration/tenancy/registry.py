"""Tenants come, pause and go: each step may be killed at any point and run again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine

from analysis.errors import PermanentError
from analysis.store import releases as release_rows
from analysis.store import tenants as rows
from analysis.store.audit import append
from analysis.store.runs import IncidentRow, open_incidents
from orchestration.tenancy.identifiers import TenantId, TenantNames, check_raw_tables, check_source_name
from orchestration.tenancy.schemas import create_schemas
from orchestration.tenancy.secrets import SecretKey
from orchestration.tenancy.statements import transaction
from orchestration.tenancy.walls.credentials import set_passwords
from orchestration.tenancy.walls.grants import LOADER
from orchestration.tenancy.walls.platform import prepare_platform
from orchestration.tenancy.walls.roles import create_roles


@dataclass(frozen=True)
class TenantDetail:
    """A tenant with everything a person asks about it first."""

    tenant: rows.TenantRow
    sources: tuple[rows.SourceRow, ...]
    releases: tuple[release_rows.ReleaseRow, ...]
    incidents: tuple[IncidentRow, ...]


def add_tenant(
    engine: Engine, key: SecretKey, tenant: str, sources: Mapping[str, str] | None = None, *, loader: str = LOADER
) -> rows.TenantRow:
    """Add a tenant with its sources (connector by name), or finish and extend one that is there."""
    names = TenantNames(TenantId(tenant))
    for name in sources or {}:
        check_source_name(name)
    prepare_platform(engine)
    with transaction(engine) as connection:
        is_new = rows.insert_tenant(connection, names.tenant)
        found = refuse_removing(require_tenant(connection, names.tenant, even_removed=True))
        is_back = found.status == "removed"
        if is_back:
            rows.set_status(connection, names.tenant, "adding")
        declared = {
            name: each for name, each in (sources or {}).items() if _declare_source(connection, names, name, each)
        }
        if is_new or is_back or declared:
            append(connection, tenant=names.tenant, action="tenant.add", detail={"sources": declared})
    with transaction(engine) as connection:
        found = refuse_removing(require_tenant(connection, names.tenant))
        create_roles(connection, names)
        create_schemas(connection, names, loader=loader)
        set_passwords(connection, names, key)
        if found.status == "adding":
            rows.set_status(connection, names.tenant, "active")
        return require_tenant(connection, names.tenant)


def refuse_removing(found: rows.TenantRow) -> rows.TenantRow:
    """The tenant; a PermanentError where its removal has begun."""
    if found.status == "removing":
        message = "The tenant is being removed; finish with `sluice tenant remove`, then it can be added again."
        raise PermanentError(message, tenant=found.tenant_id)
    return found


def _declare_source(connection: Connection, names: TenantNames, name: str, connector: str) -> bool:
    """Remember a source; False where it was known as this already."""
    known = rows.find_source(connection, names.tenant, name)
    if known is not None and known.connection_id is not None and known.connector != connector:
        raise PermanentError(
            "The source is connected as another type; choose another name.", source=name, connector=known.connector
        )
    rows.save_source(connection, names.tenant, name, connector)
    return known is None or known.connector != connector


def declare_streams(engine: Engine, tenant: str, source: str, streams: Sequence[Mapping[str, Any]]) -> None:
    """Remember a source's streams (each with a `name`), unless one's raw table is another's of the tenant."""
    with transaction(engine) as connection:
        found = require_tenant(connection, tenant)
        declared = [
            (other.name, str(stream["name"]))
            for other in rows.list_sources(connection, found.tenant_id)
            if other.name != source
            for stream in other.streams
        ]
        check_raw_tables([*declared, *((source, str(stream["name"])) for stream in streams)])
        if rows.find_source(connection, found.tenant_id, source) is None:
            raise PermanentError("The tenant has no such source; add it first.", tenant=tenant, source=source)
        rows.set_streams(connection, found.tenant_id, source, streams)


def require_tenant(connection: Connection, tenant: str, *, even_removed: bool = False) -> rows.TenantRow:
    """The tenant, its row locked for this transaction; a PermanentError if there is none, or none any more."""
    return _present(rows.lock_tenant(connection, TenantId(tenant)), tenant, even_removed)


def _present(found: rows.TenantRow | None, tenant: str, even_removed: bool) -> rows.TenantRow:
    if found is None:
        raise PermanentError("There is no such tenant; see `sluice tenant list`.", tenant=tenant)
    if found.status == "removed" and not even_removed:
        raise PermanentError("The tenant was removed; add it again with `sluice tenant add`.", tenant=tenant)
    return found


def list_tenants(engine: Engine) -> tuple[rows.TenantRow, ...]:
    """Every tenant by id."""
    with transaction(engine) as connection:
        return rows.list_tenants(connection)


def count_tenants(engine: Engine) -> dict[str, int]:
    """How many tenants there are of each status that any has."""
    with transaction(engine) as connection:
        return rows.count_by_status(connection)


def stale_releases(engine: Engine) -> tuple[release_rows.ReleaseRow, ...]:
    """Published releases that are stale, by tenant."""
    with transaction(engine) as connection:
        return release_rows.list_stale(connection)


def show_tenant(engine: Engine, tenant: str, *, even_removed: bool = False) -> TenantDetail:
    """A tenant with its sources, releases and open incidents; a PermanentError if there is none."""
    name = TenantId(tenant)
    with transaction(engine) as connection:
        found = _present(rows.find_tenant(connection, name), name, even_removed)
        sources = rows.list_sources(connection, name)
        releases = release_rows.list_releases(connection, name)
        return TenantDetail(found, sources, releases, open_incidents(connection, name))


def refuse_paused(found: rows.TenantRow) -> None:
    """A PermanentError that says why the tenant is paused and how it goes on."""
    if found.status == "paused":
        raise PermanentError(
            f"Tenant {found.tenant_id} is paused; resume it with `sluice tenant resume {found.tenant_id}`.",
            reason=found.paused_reason,
        )


def pause_tenant(engine: Engine, tenant: str, reason: str) -> None:
    """No run of the tenant starts until it is resumed; what is published stays readable."""
    _move(engine, tenant, {"active", "paused"}, "paused", reason)


def resume_tenant(engine: Engine, tenant: str) -> None:
    """Let the tenant run again; resuming one that is not paused changes nothing."""
    _move(engine, tenant, {"active", "paused"}, "active", None)


def _move(engine: Engine, tenant: str, allowed: set[str], status: rows.TenantStatus, reason: str | None) -> None:
    with transaction(engine) as connection:
        found = require_tenant(connection, tenant)
        if found.status not in allowed:
            raise PermanentError(
                f"The tenant is {found.status}, neither active nor paused; finish that first.", tenant=tenant
            )
        rows.set_status(connection, found.tenant_id, status, reason=reason)
        action = "tenant.pause" if status == "paused" else "tenant.resume"
        append(connection, tenant=found.tenant_id, action=action, detail={"reason": reason} if reason else {})
