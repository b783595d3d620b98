"""The choices made for one stream: completed, checked against what the source offers, and applied to its shape."""

from collections.abc import Mapping
from typing import Any

from airbyte_server import sync_modes
from airbyte_server.errors import RefusedError
from airbyte_server.mappers import RecordMapper, Shape, check_shape, map_shape, parse_mappers, with_ids

JsonObject = dict[str, Any]


def completed(stream: JsonObject, request: JsonObject) -> JsonObject:
    """The request with mode, key, cursor and mappers' ids filled in; what the stream cannot do is refused."""
    mode = request.get("syncMode") or sync_modes.OVERWRITE
    key = request.get("primaryKey") or stream.get("source_defined_primary_key") or []
    cursor = request.get("cursorField") or stream.get("default_cursor_field") or []
    sync_modes.check(stream, mode, key, cursor)
    choice = {**request, "syncMode": mode, "primaryKey": key, "cursorField": cursor}
    _check_selection(stream, choice)
    if request.get("includeFiles"):
        raise RefusedError(f"Files are not moved here; leave includeFiles off stream {stream['name']!r}.")
    if request.get("mappers"):
        _check_mappers(stream, choice)
        choice["mappers"] = with_ids(stream["name"], request["mappers"])
    return {name: value for name, value in choice.items() if value not in (None, [])}


def selected_schema(json_schema: JsonObject, choice: Mapping[str, Any]) -> JsonObject:
    """The stream's schema with its selected fields only."""
    selected = {field["fieldPath"][0] for field in choice.get("selectedFields") or [] if field.get("fieldPath")}
    if not selected:
        return json_schema
    properties = json_schema.get("properties", {})
    return {**json_schema, "properties": {name: item for name, item in properties.items() if name in selected}}


def mapped(stream: JsonObject, choice: Mapping[str, Any]) -> tuple[JsonObject, Shape, RecordMapper | None]:
    """What arrives of a stream: its schema, its shape, and what is done to its records."""
    schema = selected_schema(stream.get("json_schema") or {}, choice)
    shape = _shape(schema, choice)
    if not choice.get("mappers"):
        return schema, shape, None
    mappers = parse_mappers(stream["name"], choice["mappers"])
    changed = map_shape(stream["name"], shape, mappers)
    return {**schema, "properties": changed.properties}, changed, RecordMapper.of(mappers, shape.properties)


def fields_of(stream: JsonObject) -> Mapping[str, Any]:
    """The stream's top-level fields."""
    properties: Mapping[str, Any] = (stream.get("json_schema") or {}).get("properties") or {}
    return properties


def _check_selection(stream: JsonObject, choice: JsonObject) -> None:
    paths = [field.get("fieldPath") or [] for field in choice.get("selectedFields") or []]
    for path in paths:
        if len(path) != 1 or path[0] not in fields_of(stream):
            raise RefusedError(
                f"Stream {stream['name']!r} has no top-level field {'.'.join(path)!r}; select whole fields of it."
            )
    needed = [*choice["primaryKey"], choice["cursorField"]]
    left_out = {part[0] for part in needed if part} - {path[0] for path in paths}
    if paths and left_out and choice["syncMode"] in sync_modes.KEYED:
        raise RefusedError(
            f"Stream {stream['name']!r} needs its key and cursor selected: {', '.join(sorted(left_out))}."
        )


def _check_mappers(stream: JsonObject, choice: JsonObject) -> None:
    schema = selected_schema(stream.get("json_schema") or {}, choice)
    mappers = parse_mappers(stream["name"], choice["mappers"])
    check_shape(stream["name"], _shape(schema, choice), mappers, is_keyed=choice["syncMode"] in sync_modes.KEYED)


def _shape(schema: JsonObject, choice: Mapping[str, Any]) -> Shape:
    return Shape(schema.get("properties") or {}, choice.get("primaryKey") or [], choice.get("cursorField") or [])
