"""Loads one job's messages; rows and the state that covers them are committed before the state is handed on."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import psycopg

from airbyte_server.errors import PermanentError, RetryableError, ServerError
from airbyte_server.loader import database
from airbyte_server.loader.database import Connection
from airbyte_server.loader.messages import (
    JsonObject,
    StreamKey,
    read_messages,
    record_of,
    state_stream,
    stream_status,
    trace_error,
)
from airbyte_server.loader.modes import stream_load
from airbyte_server.loader.states import StateLedger
from airbyte_server.loader.streams import StreamLoad
from airbyte_server.loader.targets import StreamOutcome, StreamTarget

_FLUSH_CHARACTERS = 4 * 1024 * 1024
_BUFFERED_CHARACTERS = 16 * 1024 * 1024
_CHECKPOINT_SECONDS = 60.0
_PROGRESS_RECORDS = 20

Outcomes = dict[StreamKey, StreamOutcome]


class Loader:
    """One job's way into PostgreSQL; used once, in one thread."""

    def __init__(
        self,
        conninfo: str,
        targets: Sequence[StreamTarget],
        *,
        sync_id: int,
        on_state: Callable[[JsonObject], None],
        on_log: Callable[[str, str], None] | None = None,
        on_progress: Callable[[Mapping[StreamKey, StreamOutcome]], None] | None = None,
        staging_schema: str = "airbyte_internal",
        checkpoint_rows: int = 200_000,
    ) -> None:
        """`on_state` gets the `state` object of a STATE message once the rows it covers are committed, in order.

        `on_log` gets (level, message) of LOG messages; `on_progress` gets `outcomes` about once a second.
        Incremental rows are merged at a STATE once `checkpoint_rows` wait or a minute has passed, and at the end.
        """
        _refuse_shared_tables(targets)
        self._conninfo = conninfo
        self._staging_schema = staging_schema
        self._checkpoint_rows = checkpoint_rows
        self._on_log = on_log or (lambda level, message: None)
        self._on_progress = on_progress or (lambda outcomes: None)
        self._states = StateLedger(on_state)
        self._streams: dict[StreamKey, StreamLoad] = {
            (target.source_namespace, target.stream): stream_load(
                target, sync_id=sync_id, staging_schema=staging_schema
            )
            for target in targets
        }
        self._statuses: dict[StreamKey, str] = {}
        self._errors: list[ServerError] = []
        self._source_failed = False
        self._checkpointed = self._reported = time.monotonic()
        self._unreported = 0

    @property
    def outcomes(self) -> Outcomes:
        """Counts by (source namespace, stream); right at any moment, also after a failure."""
        return {key: stream.outcome for key, stream in self._streams.items()}

    def load(self, messages: Iterable[bytes]) -> Outcomes:
        """Load all messages; raises PermanentError or RetryableError with a sentence, and whatever `messages` raises.

        After a failure full-refresh tables are as before, incremental ones hold every row whose state was handed on.
        """
        with database.connect(self._conninfo) as connection, database.naming_errors():
            self._prepare(connection)
            try:
                self._consume(connection, messages)
                self._finish_silent_streams(connection)
            except Exception as error:
                self._close_after(connection, error)
                if self._source_failed and self._errors:
                    raise self._errors[0] from error
                raise
            self._close_unfinished(connection, keep=True)
            self._on_progress(self.outcomes)
        if self._errors:
            raise self._errors[0]
        return self.outcomes

    def _prepare(self, connection: Connection) -> None:
        for schema in {self._staging_schema, *(stream.target.namespace for stream in self._streams.values())}:
            database.ensure_schema(connection, schema)
        database.lock_tables(connection, (stream.temporary_table for stream in self._streams.values()))
        database.sweep_temporary_tables(connection, self._staging_schema)
        for stream in self._streams.values():
            stream.check(connection)

    def _consume(self, connection: Connection, messages: Iterable[bytes]) -> None:
        for number, size, message in read_messages(self._watched(messages)):
            match message["type"]:
                case "RECORD":
                    self._record(connection, message, number, size)
                case "STATE":
                    self._state(connection, message, number)
                case "TRACE":
                    self._trace(connection, message)
                case "LOG":
                    log = message.get("log") or {}
                    self._on_log(str(log.get("level", "INFO")), str(log.get("message", "")))
                case _:
                    continue

    def _watched(self, messages: Iterable[bytes]) -> Iterator[bytes]:
        """The source's own failure is told apart from the loader's."""
        try:
            yield from messages
        except Exception:
            self._source_failed = True
            raise

    def _record(self, connection: Connection, message: JsonObject, number: int, size: int) -> None:
        key, data, emitted_at, changes = record_of(message, number)
        stream = self._streams.get(key)
        if stream is None or stream.outcome.complete:
            what = "an undeclared stream" if stream is None else "a stream that it called complete"
            raise PermanentError(f"Line {number} of the connector's output is a record of {what}.", stream=key[1])
        stream.add(stream.rows.line(data, emitted_at, changes))
        stream.outcome.records_emitted += 1
        stream.outcome.bytes_emitted += size
        if stream.buffered_bytes >= _FLUSH_CHARACTERS:
            stream.flush(connection)
            self._bound_buffers(connection)
        self._unreported += 1
        if self._unreported >= _PROGRESS_RECORDS:
            self._report()

    def _bound_buffers(self, connection: Connection) -> None:
        while sum(stream.buffered_bytes for stream in self._streams.values()) > _BUFFERED_CHARACTERS:
            max(self._streams.values(), key=lambda stream: stream.buffered_bytes).flush(connection)

    def _report(self) -> None:
        self._unreported = 0
        if time.monotonic() - self._reported >= 1.0:
            self._reported = time.monotonic()
            self._on_progress(self.outcomes)

    def _state(self, connection: Connection, message: JsonObject, number: int) -> None:
        state = message.get("state")
        if not isinstance(state, dict):
            raise PermanentError(f"Line {number} of the connector's output is a STATE without a state.")
        key = state_stream(state)
        if key is not None and key not in self._streams:
            raise PermanentError(f"Line {number} of the connector's output is a state of an undeclared stream.",
                                 stream=key[1])  # fmt: skip
        self._states.add(state)
        for stream in self._streams.values() if key is None else [self._streams[key]]:
            stream.cover()
        waiting = sum(stream.unmerged for stream in self._streams.values())
        if waiting >= self._checkpoint_rows or time.monotonic() - self._checkpointed >= _CHECKPOINT_SECONDS:
            self._checkpoint(connection)
        else:
            self._release()

    def _checkpoint(self, connection: Connection) -> None:
        for stream in self._streams.values():
            if stream.dirty:
                stream.checkpoint(connection)
        self._checkpointed = time.monotonic()
        self._release()

    def _release(self) -> None:
        self._states.release(
            {
                key
                for key, stream in self._streams.items()
                if stream.dirty or (stream.whole and not stream.outcome.complete)
            }
        )

    def _trace(self, connection: Connection, message: JsonObject) -> None:
        error = trace_error(message)
        if error is not None:
            self._errors.append(error)
        status = stream_status(message)
        if status is None:
            return
        key, what = status
        self._statuses[key] = what
        stream = self._streams.get(key)
        if what == "COMPLETE" and stream is not None and not stream.outcome.complete:
            self._finish(connection, stream)

    def _finish(self, connection: Connection, stream: StreamLoad) -> None:
        stream.finish(connection)
        if stream.rows.unknown_fields:
            fields = ", ".join(sorted(stream.rows.unknown_fields)[:20])
            self._on_log("WARN", f"Stream {stream.target.stream} has fields that its schema does not name: {fields}.")
        self._release()

    def _finish_silent_streams(self, connection: Connection) -> None:
        """A connector that reports no statuses is done when it exits with 0; one that does must report them all."""
        for key, stream in self._streams.items():
            if stream.outcome.complete:
                continue
            if not self._statuses and not self._errors:
                self._finish(connection, stream)
            else:
                self._errors.append(
                    RetryableError("The connector ended before the stream was complete.", stream=key[1])
                )

    def _close_after(self, connection: Connection, error: Exception) -> None:
        """Tidy up after `error`, which stays the one that is reported."""
        of_database = isinstance(error, psycopg.Error) or isinstance(error.__cause__, psycopg.Error)
        try:
            self._close_unfinished(connection, keep=not of_database)
        except (psycopg.Error, ServerError) as second:
            error.add_note(f"Then, while tidying up: {second}")

    def _close_unfinished(self, connection: Connection, *, keep: bool) -> None:
        """Keep incremental rows that a repeat finds by key or does not read again; drop every temporary table."""
        if connection.broken or connection.closed:
            return
        if keep:
            self._checkpoint(connection)
        for stream in self._streams.values():
            stream.discard(connection)


def _refuse_shared_tables(targets: Sequence[StreamTarget]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for target in targets:
        other = seen.setdefault((target.namespace, target.table), target.stream)
        if other != target.stream:
            raise PermanentError(
                "Two streams would share one table; change the connection's prefix or rename a stream.",
                streams=[other, target.stream],
                table=target.table,
            )
