"""Streams: what a source offers, asked of its connector."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from airbyte_server import sync_modes
from airbyte_server.actors.store import DESTINATION, SOURCE, find_actor
from airbyte_server.services import ServicesDep

router = APIRouter(prefix="/streams", tags=["streams"])

JsonObject = dict[str, Any]


@router.get("")
def get_stream_properties(
    sourceId: UUID,
    services: ServicesDep,
    destinationId: UUID | None = None,
    ignoreCache: bool = False,
) -> list[JsonObject]:
    """The source's streams as a bare array; with `ignoreCache` always asked of the connector."""
    with services.storage.begin() as connection:
        source = find_actor(connection, SOURCE, sourceId)
        if destinationId is not None:
            find_actor(connection, DESTINATION, destinationId)
    return [_shown(stream) for stream in services.discover(source, fresh=ignoreCache)]


def _shown(stream: JsonObject) -> JsonObject:
    fields = (stream.get("json_schema") or {}).get("properties") or {}
    shown = {
        "streamName": stream["name"],
        "syncModes": sync_modes.offered(stream),
        "defaultCursorField": stream.get("default_cursor_field") or [],
        "sourceDefinedCursorField": bool(stream.get("source_defined_cursor")),
        "sourceDefinedPrimaryKey": stream.get("source_defined_primary_key") or [],
        "propertyFields": [[name] for name in fields],
    }
    if stream.get("namespace"):
        shown["streamnamespace"] = stream["namespace"]
    return shown
