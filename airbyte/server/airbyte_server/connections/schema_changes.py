"""What a connection does about a source whose schema changed: its `nonBreakingSchemaUpdatesBehavior`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from airbyte_server.connections import catalog, schema_differences
from airbyte_server.connections.choices import fields_of
from airbyte_server.connections.schema_differences import StreamKey, breakage, by_key, differences, summary

JsonObject = dict[str, Any]
Streams = list[JsonObject]

IGNORE = "ignore"
DISABLE = "disable_connection"
PROPAGATE_COLUMNS = "propagate_columns"
PROPAGATE_FULLY = "propagate_fully"


@dataclass(frozen=True)
class Adoption:
    """What becomes of a connection: kept as `catalog` and `streams`, of which `synced` can be read today."""

    catalog: Streams
    streams: Streams
    synced: Streams
    notices: tuple[str, ...] = ()
    pause_reason: str | None = None
    """Why the connection must become inactive; nothing is synced then."""


def adopt(behaviour: str, known: Streams, streams: Streams, found: Streams) -> Adoption:
    """Compare the catalog that the connection was made for with what the source offers now.

    A stream that names no field says nothing: sources that learn fields from records do so when there are none.
    """
    found = _with_known_fields(known, found)
    said = differences(known, found)
    broken = _breakages(known, streams, found)
    if broken:
        return Adoption(known, streams, [], pause_reason=_pause(broken, "choose anew what is synced"))
    if said and behaviour == DISABLE:
        return Adoption(known, streams, [], pause_reason=_pause(said, "review it"))
    if behaviour == PROPAGATE_FULLY:
        return _everything(known, streams, found, said)
    if behaviour == PROPAGATE_COLUMNS:
        return _columns(known, streams, found, said)
    kept = _like_found(known, found)
    synced, missing = _present(streams, found)
    ignored = [f"The source's schema changed, which this connection ignores: {summary(said)}."] if said else []
    return Adoption(kept, streams, synced, (*ignored, *missing))


def _with_known_fields(known: Streams, found: Streams) -> Streams:
    before = by_key(known)
    return [stream if fields_of(stream) or key not in before else before[key] for key, stream in by_key(found).items()]


def _breakages(known: Streams, streams: Streams, found: Streams) -> list[str]:
    reasons = []
    for choice in streams:
        old, new = catalog.find_stream(known, choice), catalog.find_stream(found, choice)
        reason = breakage(old or {}, new, choice) if new is not None else None
        if reason is not None:
            reasons.append(reason)
    return reasons


def _pause(said: Sequence[str], advice: str) -> str:
    return f"The source's schema changed ({summary(said)}): {advice} and make the connection active."


def _columns(known: Streams, streams: Streams, found: Streams, said: Sequence[str]) -> Adoption:
    """Fields come and go; streams stay as they were chosen, and one that is gone may come back."""
    now = by_key(found)
    kept = [now.get(key, stream) for key, stream in by_key(known).items()]
    chosen = [_pruned(choice, found) for choice in streams]
    synced, missing = _present(chosen, found)
    return Adoption(kept, chosen, synced, (*_adopted(said), *missing))


def _everything(known: Streams, streams: Streams, found: Streams, said: Sequence[str]) -> Adoption:
    """Fields and streams come and go; the table of a stream that is gone stays."""
    present, _ = _present(streams, found)
    new = [stream for key, stream in by_key(found).items() if key not in by_key(known)]
    chosen = [_pruned(choice, found) for choice in present] + catalog.choose_streams(new)
    return Adoption(found, chosen, chosen, _adopted(said))


def _adopted(said: Sequence[str]) -> tuple[str, ...]:
    return (f"The source's schema changed, which this connection follows: {summary(said)}.",) if said else ()


def _like_found(known: Streams, found: Streams) -> Streams:
    """The known streams, with their fields in the source's order, which storing loses."""
    now: dict[StreamKey, JsonObject] = by_key(found)
    return [_reordered(stream, fields_of(now.get(key, stream))) for key, stream in by_key(known).items()]


def _reordered(stream: JsonObject, order: Iterable[str]) -> JsonObject:
    fields = fields_of(stream)
    properties = {**{name: fields[name] for name in order if name in fields}, **fields}
    return (
        {**stream, "json_schema": {**(stream.get("json_schema") or {}), "properties": properties}} if fields else stream
    )


def _present(streams: Streams, found: Streams) -> tuple[Streams, tuple[str, ...]]:
    """The configured streams that the source still has, and a sentence for each that it has not."""
    present = [choice for choice in streams if catalog.find_stream(found, choice) is not None]
    gone = [choice["name"] for choice in streams if choice not in present]
    return present, tuple(f"The source no longer has stream {name!r}; its table stays as it is." for name in gone)


def _pruned(choice: JsonObject, found: Streams) -> JsonObject:
    stream = catalog.find_stream(found, choice)
    if stream is None or not choice.get("selectedFields"):
        return choice
    return {**choice, "selectedFields": schema_differences.remaining_selection(stream, choice)}
