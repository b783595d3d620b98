"""The calls of Airbyte's configuration API that clients of the public one still make."""

from typing import Any

from fastapi import APIRouter
from sqlalchemy import Row

from airbyte_server import catalog, job_store
from airbyte_server.api.bodies import ConnectionReference, JobReference
from airbyte_server.api.connections import find_connection
from airbyte_server.services import ServicesDep

router = APIRouter(tags=["configuration API"])

JsonObject = dict[str, Any]
_NAMESPACE_DEFINITIONS = {"custom_format": "customformat"}


@router.post("/connections/get")
def get_connection(body: ConnectionReference, services: ServicesDep) -> JsonObject:
    """A connection with its catalog: every known stream, and which of them are selected."""
    with services.storage.begin() as connection:
        row = find_connection(connection, body.connection_id)
    configured = {catalog.stream_key(stream): stream for stream in row.streams}
    by_name = {stream["name"]: stream for stream in row.streams if not stream.get("namespace")}
    streams = [
        _shown_stream(stream, configured.get(catalog.stream_key(stream)) or by_name.get(stream["name"]))
        for stream in row.catalog
    ]
    return {
        "connectionId": row.connection_id,
        "name": row.name,
        "prefix": row.prefix,
        "sourceId": row.source_id,
        "destinationId": row.destination_id,
        "workspaceId": row.workspace_id,
        "status": row.status,
        "namespaceDefinition": _NAMESPACE_DEFINITIONS.get(row.namespace_definition, row.namespace_definition),
        **({"namespaceFormat": row.namespace_format} if row.namespace_format else {}),
        "scheduleType": row.schedule["scheduleType"],
        "nonBreakingChangesPreference": "disable" if row.schema_changes == "disable_connection" else row.schema_changes,
        "syncCatalog": {"streams": streams},
    }


@router.post("/jobs/get")
def get_job(body: JobReference, services: ServicesDep) -> JsonObject:
    """A job with its one attempt and the counts of each stream."""
    with services.storage.begin() as connection:
        row = job_store.get_job(connection, body.id)
    attempts = [] if row.started_at is None else [{"attempt": _attempt(row), "logs": {"logLines": row.log_lines}}]
    job = {
        "id": row.job_id,
        "configType": row.job_type,
        "configId": row.connection_id,
        "status": row.status,
        "createdAt": int(row.created_at.timestamp()),
        "updatedAt": int(row.updated_at.timestamp()),
        **({"startedAt": int(row.started_at.timestamp())} if row.started_at else {}),
    }
    return {"job": job, "attempts": attempts}


def _attempt(row: Row[Any]) -> JsonObject:
    totals = [stream["stats"] for stream in row.stream_stats]
    attempt = {
        "id": 0,
        "status": "failed" if row.status == "cancelled" else row.status,
        "createdAt": int(row.started_at.timestamp()),
        "updatedAt": int(row.updated_at.timestamp()),
        "bytesSynced": row.bytes_synced,
        "recordsSynced": row.rows_synced,
        "totalStats": {
            name: sum(stats[name] for stats in totals)
            for name in ("recordsEmitted", "bytesEmitted", "recordsCommitted")
        },
        "streamStats": row.stream_stats,
    }
    if row.ended_at is not None:
        attempt["endedAt"] = int(row.ended_at.timestamp())
    if row.failure_reason is not None:
        attempt["failureSummary"] = {"failures": [{"externalMessage": row.failure_reason}], "partialSuccess": False}
    return attempt


def _shown_stream(stream: JsonObject, configured: JsonObject | None) -> JsonObject:
    deduped = configured is not None and configured["syncMode"] == catalog.DEDUPED
    chosen = configured or {}
    return {
        "stream": {
            "name": stream["name"],
            **({"namespace": stream["namespace"]} if stream.get("namespace") else {}),
            "jsonSchema": catalog.selected_schema(stream.get("json_schema") or {}, chosen),
            "supportedSyncModes": stream.get("supported_sync_modes") or ["full_refresh"],
            "sourceDefinedCursor": bool(stream.get("source_defined_cursor")),
            "defaultCursorField": stream.get("default_cursor_field") or [],
            "sourceDefinedPrimaryKey": stream.get("source_defined_primary_key") or [],
        },
        "config": {
            "syncMode": "incremental" if deduped else "full_refresh",
            "destinationSyncMode": "append_dedup" if deduped else "overwrite",
            "cursorField": chosen.get("cursorField") or [],
            "primaryKey": chosen.get("primaryKey") or [],
            "aliasName": stream["name"],
            "selected": configured is not None,
        },
    }
