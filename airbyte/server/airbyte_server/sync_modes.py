"""The sync modes that run here: which a stream offers, what each needs, and the words of Airbyte's protocol."""

from collections.abc import Mapping, Sequence
from typing import Any

from airbyte_server.errors import RefusedError

OVERWRITE = "full_refresh_overwrite"
OVERWRITE_DEDUPED = "full_refresh_overwrite_deduped"
REFRESH_APPEND = "full_refresh_append"
APPEND = "incremental_append"
DEDUPED = "incremental_deduped_history"
FULL_REFRESHES = (OVERWRITE, OVERWRITE_DEDUPED, REFRESH_APPEND)
INCREMENTAL = (APPEND, DEDUPED)
KEYED = (OVERWRITE_DEDUPED, DEDUPED)
"""The modes that keep one row per key."""
SUPPORTED = (*FULL_REFRESHES, *INCREMENTAL)

# The protocol of the connectors has no word for an overwrite that deduplicates; to the source it is an overwrite.
PROTOCOL = {
    OVERWRITE: ("full_refresh", "overwrite"),
    OVERWRITE_DEDUPED: ("full_refresh", "overwrite"),
    REFRESH_APPEND: ("full_refresh", "append"),
    APPEND: ("incremental", "append"),
    DEDUPED: ("incremental", "append_dedup"),
}
"""Source and destination mode as a connector is told them."""

Stream = Mapping[str, Any]


def offered(stream: Stream) -> list[str]:
    """What can be done with a stream here, in the API's words; a deduplicating mode may still need a chosen key."""
    return list(SUPPORTED if reads_increments(stream) else FULL_REFRESHES)


def best(stream: Stream) -> str:
    """Deduplicated where the source defines a key and a cursor that its schema has, overwritten otherwise."""
    cursor = stream.get("default_cursor_field") or []
    key = stream.get("source_defined_primary_key") or []
    fields = (stream.get("json_schema") or {}).get("properties") or {}
    has_key = bool(key) and all(len(path) == 1 and path[0] in fields for path in key)
    has_cursor = cursor[0] in fields if cursor else bool(stream.get("source_defined_cursor"))
    return DEDUPED if reads_increments(stream) and has_cursor and has_key else OVERWRITE


def check(stream: Stream, mode: str, key: Sequence[Sequence[str]], cursor: Sequence[str]) -> None:
    """Refuse a mode that the stream cannot be synced by, with the reason."""
    name = stream["name"]
    if mode not in SUPPORTED:
        raise RefusedError(f"Sync mode {mode} of stream {name!r} does not run here; use {' or '.join(SUPPORTED)}.")
    if mode in INCREMENTAL:
        if not reads_increments(stream):
            raise RefusedError(f"Stream {name!r} cannot be read incrementally; use {' or '.join(FULL_REFRESHES)}.")
        if not cursor and not stream.get("source_defined_cursor"):
            raise RefusedError(f"Stream {name!r} needs a cursorField for {mode}; give one or use {OVERWRITE}.")
    if mode in KEYED:
        _check_key(stream, mode, key)
    if (mode in INCREMENTAL or mode in KEYED) and cursor:
        _check_cursor(stream, cursor)


def _check_key(stream: Stream, mode: str, key: Sequence[Sequence[str]]) -> None:
    name = stream["name"]
    if not key:
        raise RefusedError(f"Stream {name!r} needs a primaryKey for {mode}; give one or use {OVERWRITE}.")
    for path in key:
        if len(path) != 1:
            raise RefusedError(
                f"The primaryKey {'.'.join(path)!r} of stream {name!r} is not a top-level field; choose one that is."
            )
        _check_field(stream, path[0])


def _check_cursor(stream: Stream, cursor: Sequence[str]) -> None:
    if len(cursor) > 1 and list(cursor) != list(stream.get("default_cursor_field") or []):
        raise RefusedError(
            f"The cursorField {'.'.join(cursor)!r} of stream {stream['name']!r} is not a top-level field; "
            "choose one that is."
        )
    _check_field(stream, cursor[0])


def _check_field(stream: Stream, field: str) -> None:
    if field not in ((stream.get("json_schema") or {}).get("properties") or {}):
        raise RefusedError(f"Stream {stream['name']!r} has no field {field!r}; name one of its fields.")


def reads_increments(stream: Stream) -> bool:
    """Whether the source can continue where it stopped."""
    return "incremental" in (stream.get("supported_sync_modes") or [])
