"""States that cover all streams of a connection: GLOBAL, whose parts are told apart, and LEGACY, which is one blob."""

from collections.abc import Collection
from typing import Any

from airbyte_server.loader.messages import JsonObject, StreamKey


def narrowed(state: JsonObject, streams: Collection[StreamKey]) -> JsonObject | None:
    """What the state says of these streams; None where that is nothing."""
    if not streams:
        return None
    parts = _parts(state)
    return state if parts is None else _with_parts(state, [part for part in parts if _stream(part) in streams])


def without(state: JsonObject, streams: Collection[StreamKey]) -> JsonObject | None:
    """What the state says of all but these streams; None where that is nothing, or cannot be told apart."""
    parts = _parts(state)
    if parts is None:
        return None
    return _with_parts(state, [part for part in parts if not is_one_of(_stream(part), streams)])


def is_divisible(state: JsonObject) -> bool:
    """Whether it can be told what the state says of one stream."""
    return _parts(state) is not None


def is_one_of(stream: StreamKey, streams: Collection[StreamKey]) -> bool:
    """Whether it is among them; one of them without a namespace is any of that name."""
    return stream in streams or (None, stream[1]) in streams


def _parts(state: JsonObject) -> list[Any] | None:
    """The streams' parts; None where it has none of its own for any."""
    parts = (state.get("global") or {}).get("stream_states") if state.get("type") == "GLOBAL" else None
    return parts if isinstance(parts, list) and parts else None


def _with_parts(state: JsonObject, parts: list[Any]) -> JsonObject | None:
    return {**state, "global": {**state["global"], "stream_states": parts}} if parts else None


def _stream(part: Any) -> StreamKey:
    descriptor = (part.get("stream_descriptor") if isinstance(part, dict) else None) or {}
    return descriptor.get("namespace"), str(descriptor.get("name"))
