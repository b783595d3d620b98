"""Taking up what Airbyte has for a tenant: its workspace becomes the tenant's row, schemas, logins and sources."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.errors import PermanentError
from analysis.store.tenants import find_tenant, save_source, set_connection, set_streams, set_workspace
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.airbyte_records import Connection
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.identifiers import TenantId, TenantNames, check_raw_tables, check_source_name
from orchestration.tenancy.registry import add_tenant, refuse_paused
from orchestration.tenancy.temporary_names import is_temporary


@dataclass(frozen=True)
class TenantConnections:
    """A tenant's workspace and its production connections, by source name."""

    names: TenantNames
    workspace_id: str
    by_source: dict[str, Connection]


def adopt_tenant(warehouse: Warehouse, airbyte: AirbyteClient, tenant: str) -> TenantConnections:
    """Bring row, schemas, logins and sources in line with Airbyte; safe to repeat.

    Refused: a paused tenant, a tenant without workspace or connections, a connection that writes elsewhere, two
    streams of one table.
    """
    found = find_connections(airbyte, tenant)
    with warehouse.control.connect() as connection:
        row = find_tenant(connection, tenant)
    if row is not None:
        refuse_paused(row)
    add_tenant(warehouse.control, warehouse.key, tenant)
    _remember_sources(warehouse, airbyte, found)
    return found


def find_connections(airbyte: AirbyteClient, tenant: str) -> TenantConnections:
    """The tenant's workspace and connections as Airbyte has them now."""
    names = TenantNames(TenantId(tenant))
    workspace = next((each for each in airbyte.workspaces() if each.name == names.raw), None)
    if workspace is None:
        raise PermanentError(
            f"Tenant {tenant} has no workspace in Airbyte; add it with `sluice tenant add {tenant} --source …`.",
            workspace=names.raw,
        )
    production = production_connections(airbyte, workspace.id)
    if not production:
        raise PermanentError(
            f"Tenant {tenant} has no connection in Airbyte; add one with `sluice tenant add {tenant} --source …`."
        )
    return TenantConnections(names, workspace.id, {_source_name(names, each): each for each in production})


def production_connections(airbyte: AirbyteClient, workspace_id: str) -> list[Connection]:
    """The active connections of a workspace, without the ones of running samples."""
    return [
        each for each in airbyte.connections(workspace_id) if not is_temporary(each.name) and each.status == "active"
    ]


def _source_name(names: TenantNames, connection: Connection) -> str:
    if connection.namespace != names.raw:
        raise PermanentError(
            f"Connection {connection.name} does not write to its tenant's namespace; set its namespace format to"
            f" {names.raw}.",
            connection=connection.id,
            namespace=connection.namespace,
        )
    if not connection.prefix.endswith("_"):
        raise PermanentError(
            f"Connection {connection.name} needs the prefix <source>_, so that no two sources share a table.",
            connection=connection.id,
            prefix=connection.prefix,
        )
    return check_source_name(connection.prefix[:-1])


def _remember_sources(warehouse: Warehouse, airbyte: AirbyteClient, found: TenantConnections) -> None:
    connectors = airbyte.source_types(found.workspace_id)
    streams = {
        source: [stream.name for stream in airbyte.configured_streams(connection.id)]
        for source, connection in found.by_source.items()
    }
    check_raw_tables((source, stream) for source, listed in streams.items() for stream in listed)
    tenant = found.names.tenant
    with warehouse.control.begin() as store:
        set_workspace(store, tenant, found.workspace_id)
        for source, connection in found.by_source.items():
            save_source(store, tenant, source, connectors.get(connection.source_id, "unknown"))
            set_connection(store, tenant, source, source_id=connection.source_id, connection_id=connection.id)
            set_streams(store, tenant, source, [{"name": name} for name in streams[source]])
