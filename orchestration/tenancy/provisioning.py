"""A tenant's things in Airbyte: workspace, Postgres destination, sources and connections, found by name or made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.engine import make_url

from orchestration.resources.airbyte_client import Airbyte
from orchestration.resources.airbyte_records import Connection
from orchestration.stack.endpoints import Endpoints
from orchestration.tenancy.identifiers import TenantNames
from orchestration.tenancy.sources import SourceSpec

DESTINATION = "warehouse"
SAMPLE_SUFFIX = " (sample)"
DEDUPED, OVERWRITE = "incremental_deduped_history", "full_refresh_overwrite"


def destination_configuration(endpoints: Endpoints, names: TenantNames) -> dict[str, Any]:
    """The Postgres destination of a tenant: the loader's login, writing to the raw schema by default."""
    warehouse = make_url(endpoints.control_url)
    return {
        "destinationType": "postgres",
        "host": warehouse.host,
        "port": warehouse.port or 5432,
        "database": warehouse.database,
        "username": endpoints.loader_login,
        "password": endpoints.loader_password,
        "schema": names.raw,
        "ssl_mode": {"mode": "prefer"},
    }


def provision_workspace(airbyte: Airbyte, endpoints: Endpoints, names: TenantNames) -> tuple[str, str]:
    """Ids of the tenant's workspace and destination."""
    workspace_id = airbyte.ensure_workspace(names.raw)
    configuration = destination_configuration(endpoints, names)
    return workspace_id, airbyte.ensure_destination(workspace_id, DESTINATION, configuration)


def provision_source(
    airbyte: Airbyte, names: TenantNames, workspace_id: str, destination_id: str, spec: SourceSpec
) -> tuple[Connection, list[str]]:
    """The production connection of one source with all streams it offers now, and their names.

    A source that cannot be discovered is refused.
    """
    source_id = airbyte.ensure_source(workspace_id, spec.name, spec.airbyte_configuration)
    offered = airbyte.discover(source_id)
    streams = [{"name": stream["streamName"], "syncMode": sync_mode(stream)} for stream in offered]
    found = next((each for each in airbyte.connections(workspace_id) if each.name == spec.name), None)
    if found is not None:
        airbyte.select_streams(found.id, streams)
    else:
        request = connection_request(spec.name, source_id, destination_id, names.raw, f"{spec.name}_", streams)
        found = airbyte.create_connection(request)
    return found, [str(stream["name"]) for stream in streams]


def sync_mode(stream: Mapping[str, Any]) -> str:
    """Incremental with deduplication where the source declares a key and a cursor, else a full refresh."""
    has_key = bool(stream.get("sourceDefinedPrimaryKey"))
    has_cursor = bool(stream.get("sourceDefinedCursorField") or stream.get("defaultCursorField"))
    return DEDUPED if has_key and has_cursor and DEDUPED in (stream.get("syncModes") or ()) else OVERWRITE


def connection_request(
    name: str, source_id: str, destination_id: str, namespace: str, prefix: str, streams: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The public-API body of a connection that Dagster triggers and that writes to one namespace."""
    return {
        "name": name,
        "sourceId": source_id,
        "destinationId": destination_id,
        "schedule": {"scheduleType": "manual"},
        "namespaceDefinition": "custom_format",
        "namespaceFormat": namespace,
        "prefix": prefix,
        "nonBreakingSchemaUpdatesBehavior": "propagate_columns",
        "configurations": {"streams": list(streams)},
    }


def open_sample_connection(airbyte: Airbyte, names: TenantNames, production: Connection) -> str:
    """A connection beside the production one that overwrites the sample schema; remove it afterwards."""
    streams = [{"name": stream.name, "syncMode": OVERWRITE} for stream in airbyte.configured_streams(production.id)]
    name = production.name + SAMPLE_SUFFIX
    request = connection_request(
        name, production.source_id, production.destination_id, names.sample, production.prefix, streams
    )
    return airbyte.create_connection(request).id


def remove_sample_connections(airbyte: Airbyte, workspace_id: str) -> None:
    """Stop and remove every sample connection of a workspace: this run's, and any that a killed run left."""
    for connection in airbyte.connections(workspace_id):
        if connection.name.endswith(SAMPLE_SUFFIX):
            airbyte.cancel_active(connection.id)
            airbyte.delete_connection(connection.id)
