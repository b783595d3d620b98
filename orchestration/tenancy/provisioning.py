"""A tenant's things in Airbyte: workspace, Postgres destination, sources and connections, found by name or made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.engine import make_url

from analysis.errors import PermanentError
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.airbyte_records import Connection
from orchestration.stack.endpoints import Endpoints
from orchestration.tenancy.identifiers import TenantNames
from orchestration.tenancy.sources import SourceSpec

DESTINATION = "warehouse"
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


def provision_workspace(airbyte: AirbyteClient, endpoints: Endpoints, names: TenantNames) -> tuple[str, str]:
    """Ids of the tenant's workspace and destination."""
    workspace_id = airbyte.ensure_workspace(names.raw)
    configuration = destination_configuration(endpoints, names)
    return workspace_id, airbyte.ensure_destination(workspace_id, DESTINATION, configuration)


def provision_source(
    airbyte: AirbyteClient, names: TenantNames, workspace_id: str, destination_id: str, spec: SourceSpec
) -> tuple[Connection, list[str]]:
    """The production connection of one source with its chosen streams, else all that it offers, and their names.

    A source that cannot be reached or discovered is refused, and so is a choice that it does not offer.
    """
    source_id = airbyte.ensure_source(workspace_id, spec.name, spec.airbyte_configuration)
    airbyte.check_source(source_id, spec.name)
    offered = _chosen(spec, airbyte.discover(source_id))
    streams = [{"name": stream["streamName"], "syncMode": sync_mode(stream)} for stream in offered]
    prefix = f"{spec.name}_"
    # Where it writes makes a connection this source's: its name is for people, who may change it.
    writing = (
        each for each in airbyte.connections(workspace_id) if (each.namespace, each.prefix) == (names.raw, prefix)
    )
    found = next(writing, None)
    if found is not None:
        airbyte.select_streams(found.id, streams)
    else:
        request = connection_request(spec.name, source_id, destination_id, names.raw, prefix, streams)
        found = airbyte.create_connection(request)
    return found, [str(stream["name"]) for stream in streams]


def _chosen(spec: SourceSpec, offered: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    names = {str(stream["streamName"]) for stream in offered}
    unknown = [name for name in spec.streams if name not in names]
    if unknown:
        raise PermanentError(
            f"Source {spec.name} offers no stream {', '.join(unknown)}; choose among those it has.",
            offered=sorted(names),
        )
    return [stream for stream in offered if not spec.streams or stream["streamName"] in spec.streams]


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
