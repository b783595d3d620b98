"""What is new in Airbyte since Sluice last looked: tenants to onboard, sources to model."""

from __future__ import annotations

from dataclasses import dataclass, field

from analysis.errors import PermanentError, SluiceError
from analysis.store.tenants import list_sources, list_tenants
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.adoption import production_connections
from orchestration.tenancy.identifiers import TenantId
from orchestration.tenancy.lock import is_running

WORKSPACE_PREFIX = "tenant_"


@dataclass(frozen=True)
class Appeared:
    """Something new of a tenant; `key` is the same as long as the thing is."""

    tenant: str
    key: str


@dataclass(frozen=True)
class Appearances:
    """What appeared, and sentences on what could not be looked at: one tenant's fault hides no other's news."""

    new: list[Appeared] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def appeared_tenants(warehouse: Warehouse, airbyte: AirbyteClient) -> Appearances:
    """Workspaces named `tenant_<id>` with a connection whose tenant has no release and no run in progress.

    One that `tenant add` is at, or was ended at, waits until each source that it names is connected.
    """
    found = Appearances()
    onboarded = set(warehouse.refreshable_tenants())
    with warehouse.control.connect() as connection:
        resting = {row.tenant_id for row in list_tenants(connection) if row.status in ("paused", "removing")}
    for workspace in airbyte.workspaces():
        if not workspace.name.startswith(WORKSPACE_PREFIX):
            continue
        try:
            tenant = TenantId(workspace.name.removeprefix(WORKSPACE_PREFIX))
        except SluiceError as error:
            found.refused.append(f"Workspace {workspace.id} is no tenant: {error.sentence}")
            continue
        if tenant in onboarded or tenant in resting or is_running(warehouse.control, tenant):
            continue
        if production_connections(airbyte, workspace.id) and not _is_half_added(warehouse, tenant):
            found.new.append(Appeared(tenant, workspace.id))
    return found


def _is_half_added(warehouse: Warehouse, tenant: TenantId) -> bool:
    with warehouse.control.connect() as store:
        return any(source.connection_id is None for source in list_sources(store, tenant))


def appeared_sources(warehouse: Warehouse, airbyte: AirbyteClient) -> Appearances:
    """Connections of onboarded tenants that were never sampled, one entry per tenant."""
    found = Appearances()
    refreshable = set(warehouse.refreshable_tenants())
    with warehouse.control.connect() as store:
        tenants = [row for row in list_tenants(store) if row.tenant_id in refreshable and row.workspace_id]
        known = {
            row.tenant_id: {source.connection_id for source in list_sources(store, row.tenant_id) if source.is_approved}
            for row in tenants
        }
    for row in tenants:
        try:
            connections = production_connections(airbyte, str(row.workspace_id))
        except PermanentError as error:
            found.refused.append(f"Tenant {row.tenant_id}: {error}")
            continue
        fresh = sorted(each.id for each in connections if each.id not in known[row.tenant_id])
        if fresh and not is_running(warehouse.control, row.tenant_id):
            found.new.append(Appeared(row.tenant_id, "+".join(fresh)))
    return found
