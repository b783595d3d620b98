"""A tenant comes and goes, on both sides: in Airbyte and in the control plane."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from analysis.errors import PermanentError
from analysis.store.tenants import find_tenant, set_connection, set_streams, set_workspace
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.erasure import erase_records
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.provisioning import provision_source, provision_workspace
from orchestration.tenancy.registry import add_tenant, declare_streams
from orchestration.tenancy.removal import begin_removal, remove_tenant
from orchestration.tenancy.sources import SourceSpec


def enrol_tenant(
    warehouse: Warehouse,
    airbyte: AirbyteClient,
    tenant: str,
    specs: Sequence[SourceSpec],
    report: Callable[[str], None],
) -> dict[str, list[str]]:
    """Add a tenant with its sources, or finish and extend one that is there; stream names by source.

    A source that cannot be discovered is refused; a tenant that was new is then gone again on both sides.
    """
    names = TenantNames(TenantId(tenant))
    if len({spec.name for spec in specs}) < len(specs):
        raise PermanentError("Two sources have one name; give each its own.", tenant=tenant)
    with warehouse.control.connect() as store:
        before = find_tenant(store, names.tenant)
    add_tenant(warehouse.control, warehouse.key, names.tenant, {spec.name: spec.connector for spec in specs})
    try:
        return _connect_sources(warehouse, airbyte, names, specs, report)
    except Exception:
        if before is None or before.status == "removed":
            withdraw_tenant(warehouse, airbyte, names.tenant)
        if before is None:
            erase_records(warehouse.control, names.tenant)
        raise


def _connect_sources(
    warehouse: Warehouse,
    airbyte: AirbyteClient,
    names: TenantNames,
    specs: Sequence[SourceSpec],
    report: Callable[[str], None],
) -> dict[str, list[str]]:
    workspace_id, destination_id = provision_workspace(airbyte, warehouse.endpoints, names)
    with warehouse.control.begin() as store:
        set_workspace(store, names.tenant, workspace_id)
    found = {}
    for spec in specs:
        report(f"{names.tenant}: discovering {spec.name} ({spec.connector})")
        connection, streams = provision_source(airbyte, names, workspace_id, destination_id, spec)
        declare_streams(warehouse.control, names.tenant, spec.name, [{"name": stream} for stream in streams])
        with warehouse.control.begin() as store:
            set_connection(store, names.tenant, spec.name, source_id=connection.source_id, connection_id=connection.id)
            set_streams(store, names.tenant, spec.name, [{"name": stream} for stream in streams])
        found[spec.name] = streams
    return found


def withdraw_tenant(warehouse: Warehouse, airbyte: AirbyteClient, tenant: str) -> None:
    """Remove the tenant from Airbyte, its running jobs cancelled, then here; one that is half gone is finished."""
    names = TenantNames(TenantId(tenant))
    begin_removal(warehouse.control, names.tenant)
    for workspace in airbyte.workspaces():
        if workspace.name == names.raw:
            for connection in airbyte.connections(workspace.id):
                airbyte.cancel_active(connection.id)
            airbyte.delete_workspace(workspace.id)
    remove_tenant(warehouse.control, names.tenant)
