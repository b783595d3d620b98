"""Tenants come, pause and go: each step may be killed at any point and run again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine

from analysis.errors import PermanentError
from analysis.store import releases as release_rows
from analysis.store import tenants as rows
from analysis.store.runs import IncidentRow, open_incidents
from orchestration.tenancy.credentials import set_passwords
from orchestration.tenancy.identifiers import TenantId, TenantNames, check_raw_tables, check_source_name
from orchestration.tenancy.platform import prepare_platform
from orchestration.tenancy.roles import create_roles
from orchestration.tenancy.schemas import LOADER, create_schemas
from orchestration.tenancy.secrets import SecretKey
from orchestration.tenancy.statements import transaction


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
        rows.insert_tenant(connection, names.tenant)
        _refuse_removing(rows.lock_tenant(connection, names.tenant))
        for name, connector in (sources or {}).items():
            _declare_source(connection, names.tenant, name, connector)
    with transaction(engine) as connection:
        found = require_tenant(connection, names.tenant)
        create_roles(connection, names)
        create_schemas(connection, names, loader=loader)
        set_passwords(connection, names, key)
        if found.status == "adding":
            rows.set_status(connection, names.tenant, "active")
        return require_tenant(connection, names.tenant)


def _refuse_removing(found: rows.TenantRow | None) -> None:
    if found is not None and found.status == "removing":
        message = "The tenant is being removed; finish with `sluice tenant remove`, then add it."
        raise PermanentError(message, tenant=found.tenant_id)


def _declare_source(connection: Connection, tenant: TenantId, name: str, connector: str) -> None:
    known = rows.find_source(connection, tenant, name)
    if known is not None and known.connection_id is not None and known.connector != connector:
        raise PermanentError(
            "The source is connected as another type; choose another name.", source=name, connector=known.connector
        )
    rows.save_source(connection, tenant, name, connector)


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


def require_tenant(connection: Connection, tenant: str) -> rows.TenantRow:
    """The tenant, its row locked for this transaction; a PermanentError if there is none."""
    found = rows.lock_tenant(connection, TenantId(tenant))
    if found is None:
        raise PermanentError("There is no such tenant; see `sluice tenant list`.", tenant=tenant)
    return found


def list_tenants(engine: Engine) -> tuple[rows.TenantRow, ...]:
    """Every tenant by id."""
    with transaction(engine) as connection:
        return rows.list_tenants(connection)


def show_tenant(engine: Engine, tenant: str) -> TenantDetail:
    """A tenant with its sources, releases and open incidents; a PermanentError if there is none."""
    name = TenantId(tenant)
    with transaction(engine) as connection:
        found = rows.find_tenant(connection, name)
        if found is None:
            raise PermanentError("There is no such tenant; see `sluice tenant list`.", tenant=name)
        sources = rows.list_sources(connection, name)
        releases = release_rows.list_releases(connection, name)
        return TenantDetail(found, sources, releases, open_incidents(connection, name))


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
