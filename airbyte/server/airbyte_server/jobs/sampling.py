"""The connector of a sample: one stream after another, each stopped at its part of the budget."""

import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace

import orjson

from airbyte_server.jobs.budgets import Budget
from airbyte_server.jobs.messages import JobOrder, JsonObject
from airbyte_server.jobs.reader import ConnectorReader
from airbyte_server.loader.decoding import NotJsonError, decode
from airbyte_server.loader.messages import StreamKey, stream_status

OpenReader = Callable[[JobOrder], ConnectorReader]


class SampleReader:
    """The lines of a sample; a stream that the budget cut counts as complete, and is noted in `cut`.

    Each stream has a process of its own, so that one can be stopped without the others, and an equal part of the
    seconds and bytes that those before it left.
    """

    def __init__(self, order: JobOrder, budget: Budget, open_reader: OpenReader) -> None:
        self._order = order
        self._budget = budget
        self._open = open_reader
        self._reader: ConnectorReader | None = None
        self._bytes_left = budget.bytes
        self.cut: set[StreamKey] = set()

    def messages(self) -> Iterator[bytes]:
        """Each line within the budget; the connector's own failure is raised, the budget's end is none."""
        streams = self._order.configured_catalog["streams"]
        ends_at = time.monotonic() + self._budget.seconds
        for place, configured in enumerate(streams):
            waiting = len(streams) - place
            seconds = (ends_at - time.monotonic()) / waiting
            yield from self._stream(configured, seconds, self._bytes_left / waiting)

    def batches(self) -> Iterator[Sequence[bytes]]:
        """Each line of `messages` by itself."""
        for line in self.messages():
            yield (line,)

    def kill(self) -> None:
        """End the connector if it still runs."""
        if self._reader is not None:
            self._reader.kill()

    def complaints(self) -> list[str]:
        """The last lines that the connector of the latest stream wrote to stderr."""
        return self._reader.complaints() if self._reader is not None else []

    def _stream(self, configured: JsonObject, seconds: float, fair_bytes: float) -> Iterator[bytes]:
        stream = configured["stream"]
        why: str | None = "the sample's seconds are over"
        if seconds > 0:
            why = yield from self._records(configured, seconds, fair_bytes)
        if why is not None:
            self.cut.add((stream.get("namespace"), stream["name"]))
            yield _log_line(f"Stream {stream['name']} is cut: {why}.")
        yield _complete_line(stream)

    def _records(self, configured: JsonObject, seconds: float, fair_bytes: float) -> Generator[bytes, None, str | None]:
        """The lines of one stream; returns what ended it before its end, if anything did."""
        reader = self._reader = self._open(replace(self._order, configured_catalog={"streams": [configured]}))
        alarm = threading.Timer(seconds, reader.stop)
        alarm.daemon = True
        alarm.start()
        records = read = 0
        try:
            for line in reader.messages():
                kind = _kind(line)
                if kind == "RECORD":
                    size = len(line) + 1  # with its newline, as the loader counts
                    if size > self._bytes_left:
                        return "the sample's bytes are used up"
                    records += 1
                    read += size
                    self._bytes_left -= size
                if kind not in ("STATE", "STATUS"):
                    yield line
                if records >= self._budget.records_per_stream:
                    return f"it has {records} records"
                if read >= fair_bytes:
                    return "its part of the sample's bytes is used up"
            return "its part of the sample's seconds is over" if reader.stopped else None
        finally:
            alarm.cancel()
            reader.kill()


def _kind(line: bytes) -> str:
    """The type of a message; what cannot be read is the loader's to refuse."""
    try:
        message = decode(line)
    except NotJsonError:
        return ""
    if not isinstance(message, dict):
        return ""
    return "STATUS" if message.get("type") == "TRACE" and stream_status(message) else str(message.get("type"))


def _complete_line(stream: JsonObject) -> bytes:
    descriptor = {"name": stream["name"], "namespace": stream.get("namespace")}
    status = {"stream_descriptor": descriptor, "status": "COMPLETE"}
    emitted_at = time.time() * 1000
    trace = {"type": "STREAM_STATUS", "emitted_at": emitted_at, "stream_status": status}
    return orjson.dumps({"type": "TRACE", "trace": trace}) + b"\n"


def _log_line(text: str) -> bytes:
    return orjson.dumps({"type": "LOG", "log": {"level": "INFO", "message": text}}) + b"\n"
