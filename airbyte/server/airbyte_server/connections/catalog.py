"""From a source's streams to a connection's: which are synced, how, and into which table."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from airbyte_server import sync_modes
from airbyte_server.connections import choices
from airbyte_server.errors import RefusedError
from airbyte_server.loader import StreamTarget, SyncMode, final_table_name
from airbyte_server.loader.state_places import TABLE as STATE_TABLE

_SOURCE_NAMESPACE = "${SOURCE_NAMESPACE}"

JsonObject = dict[str, Any]


def choose_streams(discovered: Sequence[JsonObject]) -> list[JsonObject]:
    """Every stream with the best mode it can: deduplicated where key and cursor are known, overwritten otherwise."""
    return [
        choices.completed(stream, {"name": stream["name"], "syncMode": sync_modes.best(stream)})
        for stream in discovered
    ]


def accept_streams(discovered: Sequence[JsonObject], requested: Sequence[JsonObject]) -> list[JsonObject]:
    """The requested configurations, completed; the first one that cannot be run is refused with a sentence."""
    accepted = []
    for request in requested:
        stream = find_stream(discovered, request)
        if stream is None:
            known = ", ".join(sorted(item["name"] for item in discovered)) or "none"
            raise RefusedError(f"The source has no stream {request['name']!r}; it has: {known}.")
        accepted.append(choices.completed(stream, request))
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
    """Refuse two streams that would land in one table, and one that would land in the loader's own."""
    taken: dict[tuple[str, str], str] = {}
    for stream in streams:
        table = namespaces[stream_key(stream)], table_name(prefix, stream)
        if table[1].startswith(STATE_TABLE):  # another login has one with its own ending
            raise RefusedError(f"Stream {stream['name']!r} would be written to {STATE_TABLE}; change the prefix.")
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
    *,
    refreshes: bool = False,
) -> list[StreamTarget]:
    """What the loader is told: selected fields only, as their mappers leave them; a refresh replaces older rows."""
    targets = []
    for choice in streams:
        stream = _discovered(discovered, choice)
        schema, shape, mapper = choices.mapped(stream, choice)
        target = StreamTarget(
            stream=stream["name"],
            source_namespace=stream.get("namespace"),
            namespace=schemas[stream_key(choice)],
            table=table_name(prefix, choice),
            json_schema=schema,
            sync_mode=cast(SyncMode, choice["syncMode"]),
            primary_key=shape.primary_key,
            cursor=shape.cursor,
            generation_id=generations.get(stream_key(choice), 0),
            refreshes=refreshes,
            mapper=mapper,
        )
        targets.append(target)
    return targets


def emptied_targets(
    discovered: Sequence[JsonObject],
    streams: Sequence[JsonObject],
    schemas: Mapping[tuple[str, str], str],
    prefix: str,
) -> list[StreamTarget]:
    """The tables of these streams, for whoever needs to know no more than which they are; the source may be gone."""
    return [
        StreamTarget(
            stream=choice["name"],
            source_namespace=(find_stream(discovered, choice) or choice).get("namespace"),
            namespace=schemas[stream_key(choice)],
            table=table_name(prefix, choice),
            json_schema={},
            sync_mode=cast(SyncMode, choice["syncMode"]),
        )
        for choice in streams
    ]


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


def _schema(namespace: str | None, definition: str, namespace_format: str | None, default_schema: str) -> str:
    if definition == "source":
        chosen = namespace
    elif definition == "custom_format":
        chosen = (namespace_format or "").replace(_SOURCE_NAMESPACE, namespace or "")
    else:
        chosen = default_schema
    return final_table_name("", chosen or default_schema)
