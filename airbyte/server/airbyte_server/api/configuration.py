"""Connections in the configuration API: what clients of the public one still ask there."""

from typing import Any

import orjson
from fastapi import APIRouter, Response
from sqlalchemy import Row

from airbyte_server import sync_modes
from airbyte_server.api.configuration_bodies import (
    NAMESPACE_DEFINITIONS,
    SCHEMA_CHANGES,
    SYNC_MODES,
    CatalogEntry,
    ConnectionReference,
    ConnectionUpdate,
    WorkspaceReference,
)
from airbyte_server.api.workspaces import find_workspace
from airbyte_server.connections import catalog, choices, cron
from airbyte_server.connections import store as connection_store
from airbyte_server.connections.store import select_connections
from airbyte_server.errors import RefusedError
from airbyte_server.services import ServicesDep
from airbyte_server.state.tables import connections

router = APIRouter(tags=["configuration API"])

JsonObject = dict[str, Any]
_NAMESPACE_WORDS = {public: word for word, public in NAMESPACE_DEFINITIONS.items()}
_CHANGE_WORDS = {public: word for word, public in SCHEMA_CHANGES.items()}
_MODE_WORDS = {public: words for words, public in SYNC_MODES.items()}


@router.post("/connections/get")
def get_connection(body: ConnectionReference, services: ServicesDep) -> JsonObject:
    """A connection with its catalog: every known stream, and which of them are selected."""
    with services.storage.begin() as connection:
        return _shown(connection_store.find_connection(connection, body.connection_id))


@router.post("/connections/list")
def list_connections(body: WorkspaceReference, services: ServicesDep) -> Response:
    """Every connection of a workspace with its catalog, in one answer."""
    with services.storage.begin() as connection:
        workspace_id = find_workspace(connection, body.workspace_id).workspace_id
        found = connection.execute(select_connections().where(connections.c.workspace_id == workspace_id)).all()
    # FastAPI would walk through every schema of every stream once more.
    return Response(orjson.dumps({"connections": list(map(_shown, found))}), media_type="application/json")


@router.post("/connections/update")
def update_connection(body: ConnectionUpdate, services: ServicesDep) -> JsonObject:
    """Change what is given; a catalog's selected streams become the connection's streams."""
    given = body.model_dump(include={"name", "status", "prefix"}, exclude_none=True)
    if body.namespace_definition is not None:
        given["namespace_definition"] = NAMESPACE_DEFINITIONS[body.namespace_definition]
    if "namespace_format" in body.model_fields_set:
        given["namespace_format"] = body.namespace_format
    if body.non_breaking_changes_preference is not None:
        given["schema_changes"] = SCHEMA_CHANGES[body.non_breaking_changes_preference]
    if body.schedule_type is not None:
        given["schedule"] = _schedule(body)
    chosen = [entry for entry in body.sync_catalog.streams if entry.config.selected] if body.sync_catalog else []
    if body.sync_catalog and not chosen:
        raise RefusedError("syncCatalog selects no stream; select one, or make the connection inactive.")
    tag_ids = None if body.tags is None else [str(tag.tag_id) for tag in body.tags]
    row = connection_store.change_connection(
        services, body.connection_id, given, [_requested(entry) for entry in chosen], tag_ids
    )
    return _shown(row)


def _shown(row: Row[Any]) -> JsonObject:
    configured = {catalog.stream_key(stream): stream for stream in row.streams}
    by_name = {stream["name"]: stream for stream in row.streams if not stream.get("namespace")}
    streams = [
        shown_stream(stream, configured.get(catalog.stream_key(stream)) or by_name.get(stream["name"]))
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
        **({"statusReason": row.status_reason} if row.status_reason else {}),
        "namespaceDefinition": _NAMESPACE_WORDS[row.namespace_definition],
        **({"namespaceFormat": row.namespace_format} if row.namespace_format else {}),
        "scheduleType": row.schedule["scheduleType"],
        **_schedule_data(row.schedule),
        "nonBreakingChangesPreference": _CHANGE_WORDS[row.schema_changes],
        "tags": row.tags,
        "syncCatalog": {"streams": streams},
    }


def shown_stream(stream: JsonObject, configured: JsonObject | None) -> JsonObject:
    """A discovered stream and how it is synced; without a configuration it is not selected."""
    chosen = configured or {}
    source_mode, destination_mode = _MODE_WORDS[chosen.get("syncMode", sync_modes.OVERWRITE)]
    return {
        "stream": {
            "name": stream["name"],
            **({"namespace": stream["namespace"]} if stream.get("namespace") else {}),
            "jsonSchema": choices.selected_schema(stream.get("json_schema") or {}, chosen),
            "supportedSyncModes": stream.get("supported_sync_modes") or ["full_refresh"],
            "sourceDefinedCursor": bool(stream.get("source_defined_cursor")),
            "defaultCursorField": stream.get("default_cursor_field") or [],
            "sourceDefinedPrimaryKey": stream.get("source_defined_primary_key") or [],
        },
        "config": {
            "syncMode": source_mode,
            "destinationSyncMode": destination_mode,
            "cursorField": chosen.get("cursorField") or [],
            "primaryKey": chosen.get("primaryKey") or [],
            "aliasName": stream["name"],
            "selected": configured is not None,
            "fieldSelectionEnabled": bool(chosen.get("selectedFields")),
            "selectedFields": chosen.get("selectedFields") or [],
            "mappers": chosen.get("mappers") or [],
            **{name: chosen[name] for name in ("includeFiles", "destinationObjectName") if name in chosen},
        },
    }


def _requested(entry: CatalogEntry) -> JsonObject:
    config = entry.config
    mode = SYNC_MODES.get((config.sync_mode, config.destination_sync_mode))
    if mode is None:
        raise RefusedError(
            f"Stream {entry.stream.name!r} cannot be synced by {config.sync_mode} and {config.destination_sync_mode}; "
            "use full_refresh with overwrite, overwrite_dedup or append, or incremental with append or append_dedup."
        )
    fields = config.selected_fields if config.field_selection_enabled else None
    requested = {
        "name": entry.stream.name,
        "namespace": entry.stream.namespace,
        "syncMode": mode,
        "cursorField": config.cursor_field,
        "primaryKey": config.primary_key,
        "selectedFields": [field.model_dump(by_alias=True, exclude_none=True) for field in fields or []],
        "mappers": config.mappers,
        "includeFiles": config.include_files,
        "destinationObjectName": config.destination_object_name,
    }
    return {name: value for name, value in requested.items() if value is not None}


def _schedule(body: ConnectionUpdate) -> JsonObject:
    if body.schedule_type == "manual":
        return {"scheduleType": "manual"}
    if body.schedule_data is None or body.schedule_data.cron is None:
        raise RefusedError("scheduleType cron needs scheduleData.cron.cronExpression.")
    return {"scheduleType": "cron", "cronExpression": cron.normalised(body.schedule_data.cron.cron_expression)}


def _schedule_data(schedule: JsonObject) -> JsonObject:
    if schedule["scheduleType"] != "cron":
        return {}
    expression = schedule["cronExpression"].removesuffix(" UTC")
    return {"scheduleData": {"cron": {"cronExpression": expression, "cronTimeZone": "UTC"}}}
