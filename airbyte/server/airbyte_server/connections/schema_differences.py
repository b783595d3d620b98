"""What changed at a source, in words, and what of it stops a connection."""

from collections.abc import Mapping, Sequence
from typing import Any

from airbyte_server import sync_modes
from airbyte_server.connections import choices
from airbyte_server.errors import RefusedError

JsonObject = dict[str, Any]
StreamKey = tuple[str, str]

_NAMED = 5


def by_key(streams: Sequence[JsonObject]) -> dict[StreamKey, JsonObject]:
    """Streams by name and namespace."""
    return {(stream["name"], stream.get("namespace") or ""): stream for stream in streams}


def differences(known: Sequence[JsonObject], found: Sequence[JsonObject]) -> list[str]:
    """New, lost and changed streams and fields; descriptions of a stream beside its fields, key and modes are none."""
    old, new = by_key(known), by_key(found)
    said = [f"stream {key[0]!r} is new" for key in new if key not in old]
    said += [f"stream {key[0]!r} is gone" for key in old if key not in new]
    for key in old.keys() & new.keys():
        said += _within(key[0], old[key], new[key])
    return sorted(said)


def summary(said: Sequence[str]) -> str:
    """The first few differences, and how many there are more."""
    more = f" and {len(said) - _NAMED} more" if len(said) > _NAMED else ""
    return "; ".join(said[:_NAMED]) + more


def breakage(known: JsonObject, found: JsonObject, choice: Mapping[str, Any]) -> str | None:
    """Why a configured stream cannot go on as it is; None if it can."""
    name, mode, fields = choice["name"], choice["syncMode"], choices.fields_of(found)
    key, cursor = choice.get("primaryKey") or [], choice.get("cursorField") or []
    lost = [path[0] for path in key if path[0] not in fields] if mode in sync_modes.KEYED else []
    if lost:
        return f"stream {name!r} has lost its primary key {', '.join(lost)}"
    had, has = known.get("source_defined_primary_key") or [], found.get("source_defined_primary_key") or []
    if mode in sync_modes.KEYED and key == had != has != []:
        return f"stream {name!r} has another primary key, {', '.join('.'.join(path) for path in has)}"
    needs_cursor = mode in sync_modes.INCREMENTAL or mode in sync_modes.KEYED
    if needs_cursor and cursor and cursor[0] in choices.fields_of(known) and cursor[0] not in fields:
        return f"stream {name!r} has lost its cursor {'.'.join(cursor)}"
    if mode in sync_modes.INCREMENTAL and not sync_modes.reads_increments(found):
        return f"stream {name!r} can no longer be read incrementally"
    if choice.get("selectedFields") and not remaining_selection(found, choice):
        return f"stream {name!r} has lost all its selected fields"
    try:
        choices.mapped(found, choice)
    except RefusedError as error:
        return error.sentence.rstrip(".")
    return None


def remaining_selection(found: JsonObject, choice: Mapping[str, Any]) -> list[JsonObject]:
    """The selected fields that are still there."""
    fields = choices.fields_of(found)
    return [field for field in choice.get("selectedFields") or [] if field["fieldPath"][0] in fields]


def _within(name: str, old: JsonObject, new: JsonObject) -> list[str]:
    before, after = choices.fields_of(old), choices.fields_of(new)
    said = [f"field {field!r} of {name!r} is new" for field in after if field not in before]
    said += [f"field {field!r} of {name!r} is gone" for field in before if field not in after]
    said += [
        f"field {field!r} of {name!r} has another type"
        for field in before
        if after.get(field, before[field]) != before[field]
    ]
    for what in ("source_defined_primary_key", "default_cursor_field"):
        if (old.get(what) or []) != (new.get(what) or []):
            said.append(f"the {what} of {name!r} changed")
    if sync_modes.reads_increments(old) != sync_modes.reads_increments(new):
        said.append(f"the sync modes of {name!r} changed")
    return said
