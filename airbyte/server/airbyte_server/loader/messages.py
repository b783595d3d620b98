"""What the loader reads from a connector: one JSON object a line."""

from collections.abc import Iterable, Iterator
from typing import Any

from airbyte_server.errors import PermanentError, RetryableError, ServerError
from airbyte_server.loader.decoding import NotJsonError, decode

JsonObject = dict[str, Any]
StreamKey = tuple[str | None, str]

LATEST_EMISSION = 253_402_300_799_999
"""Milliseconds: the end of the year 9999."""


def read_messages(lines: Iterable[bytes], first: int = 1) -> Iterator[tuple[int, int, JsonObject]]:
    r"""(line number, bytes with "\n", message) of every line; one that is no Airbyte message is a PermanentError."""
    last_stream: object = None
    for number, line in enumerate(lines, start=first):
        if not line.strip():
            continue
        try:
            message = decode(line)
        except NotJsonError as error:
            raise _malformed("is not JSON", number, last_stream) from error
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise _malformed("is not an Airbyte message", number, last_stream)
        record = message.get("record")
        if isinstance(record, dict):
            last_stream = record.get("stream")
        yield number, len(line) + (not line.endswith(b"\n")), message


def record_of(message: JsonObject, number: int) -> tuple[StreamKey, JsonObject, int, list[Any]]:
    """Stream, data, emission time (milliseconds) and the source's own changes of a RECORD message."""
    record = message.get("record")
    if not isinstance(record, dict) or not isinstance(record.get("stream"), str):
        raise _malformed("is a RECORD without a stream", number, None)
    stream = record["stream"]
    data, emitted_at = record.get("data"), record.get("emitted_at")
    if not isinstance(data, dict):
        raise _malformed("is a RECORD without data", number, stream)
    if type(emitted_at) is not int or not 0 <= emitted_at <= LATEST_EMISSION:
        raise _malformed("is a RECORD without a time of emission", number, stream)
    meta = record.get("meta")
    changes = meta.get("changes") if isinstance(meta, dict) else None
    return (record.get("namespace"), stream), data, emitted_at, changes if isinstance(changes, list) else []


def state_stream(state: JsonObject) -> StreamKey | None:
    """The one stream a STATE covers, or None for a global or legacy state, which covers all."""
    if state.get("type") != "STREAM":
        return None
    descriptor = (state.get("stream") or {}).get("stream_descriptor") or {}
    return descriptor.get("namespace"), str(descriptor.get("name"))


def stream_status(message: JsonObject) -> tuple[StreamKey, str] | None:
    """Stream and status (STARTED, RUNNING, COMPLETE, INCOMPLETE) of a TRACE message that carries one."""
    trace = message.get("trace")
    if not isinstance(trace, dict) or trace.get("type") != "STREAM_STATUS":
        return None
    status = trace.get("stream_status") or {}
    descriptor = status.get("stream_descriptor") or {}
    return (descriptor.get("namespace"), str(descriptor.get("name"))), str(status.get("status"))


def trace_error(message: JsonObject) -> ServerError | None:
    """The connector's own error, with its sentence, where the TRACE message carries one."""
    trace = message.get("trace")
    if not isinstance(trace, dict) or trace.get("type") != "ERROR":
        return None
    error = trace.get("error") or {}
    keys: dict[str, object] = {}
    name = (error.get("stream_descriptor") or {}).get("name")
    if name:
        keys["stream"] = name
    kind = PermanentError if error.get("failure_type") == "config_error" else RetryableError
    return kind(str(error.get("message") or "The connector failed without a message."), **keys)


def _malformed(what: str, number: int, stream: object) -> PermanentError:
    keys: dict[str, object] = {"stream": stream} if stream else {}
    return PermanentError(f"Line {number} of the connector's output {what}; the connector is broken.", **keys)
