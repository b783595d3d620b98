"""What is new in Airbyte since Sluice last looked: tenants to onboard, sources to model."""

from __future__ import annotations

from dataclasses import dataclass, field

from analysis.errors import SluiceError
from analysis.store.tenants import list_tenants
from orchestration.resources.airbyte_client import Airbyte
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.adoption import find_connections, new_sources, production_connections
from orchestration.tenancy.identifiers import TenantId
from orchestration.tenancy.lock import is_running

WORKSPACE_PREFIX = "tenant_"


@dataclass(frozen=True)
class Appeared:
    """Something new of a tenant; `key` is the same as long as the thing is."""

    tenant: str
    key: str


@dataclass(frozen=True)
class AppearedTenants:
    """Tenants to onboard, and sentences on workspaces that were refused."""

    new: list[Appeared] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def appeared_tenants(warehouse: Warehouse, airbyte: Airbyte) -> AppearedTenants:
    """Workspaces named `tenant_<id>` with a connection whose tenant has no release and no run in progress."""
    found = AppearedTenants()
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
        if production_connections(airbyte, workspace.id):
            found.new.append(Appeared(tenant, workspace.id))
    return found


def appeared_sources(warehouse: Warehouse, airbyte: Airbyte) -> list[Appeared]:
    """Connections of onboarded tenants that were never sampled, one entry per tenant."""
    found = []
    for tenant in warehouse.refreshable_tenants():
        if is_running(warehouse.control, tenant):
            continue
        fresh = new_sources(warehouse, find_connections(airbyte, tenant))
        if fresh:
            found.append(Appeared(tenant, "+".join(sorted(connection.id for connection in fresh))))
    return found
