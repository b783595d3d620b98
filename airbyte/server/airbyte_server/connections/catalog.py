"""From a source's streams to a connection's: which are synced, how, and into which table."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from airbyte_server import sync_modes
from airbyte_server.errors import RefusedError
from airbyte_server.loader import StreamTarget, SyncMode, final_table_name

_SOURCE_NAMESPACE = "${SOURCE_NAMESPACE}"

JsonObject = dict[str, Any]


def choose_streams(discovered: Sequence[JsonObject]) -> list[JsonObject]:
    """Every stream with the best mode it can: deduplicated where key and cursor are known, overwritten otherwise."""
    return [_configured(stream, {"name": stream["name"], "syncMode": sync_modes.best(stream)}) for stream in discovered]


def accept_streams(discovered: Sequence[JsonObject], requested: Sequence[JsonObject]) -> list[JsonObject]:
    """The requested configurations, completed; the first one that cannot be run is refused with a sentence."""
    accepted = []
    for request in requested:
        stream = find_stream(discovered, request)
        if stream is None:
            known = ", ".join(sorted(item["name"] for item in discovered)) or "none"
            raise RefusedError(f"The source has no stream {request['name']!r}; it has: {known}.")
        accepted.append(_configured(stream, request))
    names = [stream_key(stream) for stream in accepted]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise RefusedError(f"Stream {twice[0]!r} is configured twice; name it once.")
    return accepted


def find_stream(discovered: Sequence[JsonObject], wanted: Mapping[str, Any]) -> JsonObject | None:
    """The discovered stream of a configuration; a namespace decides only if it is given."""
    for stream in discovered:
        same_namespace = not wanted.get("namespace") or wanted["namespace"] == stream.get("namespace")
        if stream["name"] == wanted["name"] and same_namespace:
            return stream
    return None


def stream_key(stream: Mapping[str, Any]) -> tuple[str, str]:
    """Name and namespace, the identity of a stream."""
    return stream["name"], stream.get("namespace") or ""


def check_tables(streams: Sequence[JsonObject], namespaces: Mapping[tuple[str, str], str], prefix: str) -> None:
    """Refuse two streams that would land in one table."""
    taken: dict[tuple[str, str], str] = {}
    for stream in streams:
        table = namespaces[stream_key(stream)], table_name(prefix, stream)
        if table in taken:
            raise RefusedError(
                f"Streams {taken[table]!r} and {stream['name']!r} would both be written to table "
                f"{table[0]}.{table[1]}; leave one out or change the prefix."
            )
        taken[table] = stream["name"]


def table_name(prefix: str, stream: Mapping[str, Any]) -> str:
    """The table that a stream of a connection with this prefix is written to."""
    return final_table_name(prefix, stream["name"])


def target_schemas(
    streams: Sequence[JsonObject], definition: str, namespace_format: str | None, default_schema: str
) -> dict[tuple[str, str], str]:
    """The schema of each stream by (name, namespace)."""
    return {
        stream_key(stream): _schema(stream.get("namespace"), definition, namespace_format, default_schema)
        for stream in streams
    }


def configured_catalog(discovered: Sequence[JsonObject], streams: Sequence[JsonObject]) -> JsonObject:
    """The catalog that a connector reads by, as Airbyte's protocol has it."""
    return {"streams": [_protocol_stream(discovered, stream) for stream in streams]}


def stream_targets(
    discovered: Sequence[JsonObject],
    streams: Sequence[JsonObject],
    schemas: Mapping[tuple[str, str], str],
    prefix: str,
    generations: Mapping[tuple[str, str], int],
) -> list[StreamTarget]:
    """What the loader is told; only selected fields are in the schema, so only they become columns."""
    return [
        StreamTarget(
            stream=stream["name"],
            source_namespace=_discovered(discovered, stream).get("namespace"),
            namespace=schemas[stream_key(stream)],
            table=table_name(prefix, stream),
            json_schema=selected_schema(_discovered(discovered, stream).get("json_schema") or {}, stream),
            sync_mode=cast(SyncMode, stream["syncMode"]),
            primary_key=stream.get("primaryKey") or [],
            cursor=stream.get("cursorField") or [],
            generation_id=generations.get(stream_key(stream), 0),
        )
        for stream in streams
    ]


def selected_schema(json_schema: JsonObject, stream: Mapping[str, Any]) -> JsonObject:
    """The stream's schema with its selected fields only."""
    selected = {field["fieldPath"][0] for field in stream.get("selectedFields") or [] if field.get("fieldPath")}
    if not selected:
        return json_schema
    properties = json_schema.get("properties", {})
    return {**json_schema, "properties": {name: item for name, item in properties.items() if name in selected}}


def _protocol_stream(discovered: Sequence[JsonObject], stream: JsonObject) -> JsonObject:
    read, write = sync_modes.PROTOCOL[stream["syncMode"]]
    return {
        "stream": _discovered(discovered, stream),
        "sync_mode": read,
        "destination_sync_mode": write,
        "cursor_field": stream.get("cursorField") or [],
        "primary_key": stream.get("primaryKey") or [],
    }


def _discovered(discovered: Sequence[JsonObject], stream: JsonObject) -> JsonObject:
    found = find_stream(discovered, stream)
    if found is None:
        raise RefusedError(f"The source no longer has stream {stream['name']!r}; take it out of the connection.")
    return found


def _configured(stream: JsonObject, request: JsonObject) -> JsonObject:
    mode = request.get("syncMode") or sync_modes.OVERWRITE
    key = request.get("primaryKey") or stream.get("source_defined_primary_key") or []
    cursor = request.get("cursorField") or stream.get("default_cursor_field") or []
    sync_modes.check(stream, mode, key, cursor)
    _check_selection(stream, request, key, cursor)
    completed = {**request, "syncMode": mode, "primaryKey": key, "cursorField": cursor}
    return {name: value for name, value in completed.items() if value not in (None, [])}


def _check_selection(stream: JsonObject, request: JsonObject, key: list[list[str]], cursor: list[str]) -> None:
    if request.get("mappers"):
        raise RefusedError(f"Mappers do not run here; take them off stream {stream['name']!r}.")
    paths = [field.get("fieldPath") or [] for field in request.get("selectedFields") or []]
    for path in paths:
        if len(path) != 1 or path[0] not in _fields(stream):
            raise RefusedError(
                f"Stream {stream['name']!r} has no top-level field {'.'.join(path)!r}; select whole fields of it."
            )
    left_out = {part[0] for part in [*key, cursor] if part} - {path[0] for path in paths}
    if paths and left_out and request.get("syncMode") in sync_modes.KEYED:
        raise RefusedError(
            f"Stream {stream['name']!r} needs its key and cursor selected: {', '.join(sorted(left_out))}."
        )


def _fields(stream: JsonObject) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = (stream.get("json_schema") or {}).get("properties") or {}
    return properties


def _schema(namespace: str | None, definition: str, namespace_format: str | None, default_schema: str) -> str:
    if definition == "source":
        chosen = namespace
    elif definition == "custom_format":
        chosen = (namespace_format or "").replace(_SOURCE_NAMESPACE, namespace or "")
    else:
        chosen = default_schema
    return final_table_name("", chosen or default_schema)
