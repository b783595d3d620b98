"""Loads one job's messages; rows and the states that cover them are committed together."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing

import psycopg

from airbyte_server.errors import PermanentError, RetryableError, ServerError
from airbyte_server.loader import database, naming
from airbyte_server.loader.batches import Records, read_batches
from airbyte_server.loader.committing import Commits, StateOwner
from airbyte_server.loader.database import Connection
from airbyte_server.loader.messages import (
    JsonObject,
    StreamKey,
    record_of,
    state_stream,
    stream_status,
    trace_error,
)
from airbyte_server.loader.modes import stream_load
from airbyte_server.loader.streams import StreamLoad
from airbyte_server.loader.targets import StreamOutcome, StreamTarget
from airbyte_server.loader.uploading import Upload

_FLUSH_BYTES = 4 * 1024 * 1024
_BUFFERED_BYTES = 16 * 1024 * 1024
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
        owner: StateOwner | None = None,
        on_state: Callable[[JsonObject], None] | None = None,
        on_log: Callable[[str, str], None] | None = None,
        on_progress: Callable[[Mapping[StreamKey, StreamOutcome]], None] | None = None,
        staging_schema: str = "airbyte_internal",
        checkpoint_rows: int = 200_000,
        needs_statuses: bool = False,
        repeats: int = 0,
    ) -> None:
        """With an `owner` states are kept beside the tables, see `state_table`; without one nothing of them is.

        `on_state` gets the `state` object of a STATE message once the rows it covers are committed, in order.
        `on_log` gets (level, message) of LOG messages; `on_progress` gets `outcomes` about once a second.
        Incremental rows are merged at a STATE once `checkpoint_rows` wait or a minute has passed, and at the end.
        With `needs_statuses` a stream is complete when the source said so, never because the source ended.
        `repeats` says how many attempts of this sync were made before: what they added at a stream's end is added once.
        """
        _refuse_shared_tables(targets)
        self._conninfo = conninfo
        self._staging_schema = staging_schema
        self._checkpoint_rows = checkpoint_rows
        self._on_log = on_log or (lambda level, message: None)
        self._on_progress = on_progress or (lambda outcomes: None)
        self._owner = owner
        self._streams: dict[StreamKey, StreamLoad] = {
            (target.source_namespace, target.stream): stream_load(
                target, sync_id=sync_id, staging_schema=staging_schema
            )
            for target in targets
        }
        self._upload = Upload()
        for stream in self._streams.values():
            stream.repeats = repeats
        self._commits = Commits(
            self._streams,
            sync_id=sync_id,
            owner=owner,
            on_state=on_state or (lambda state: None),
            before_commit=self._upload.wait,
        )
        self._needs_statuses = needs_statuses
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
        """Load all messages, one a line; see `load_batches`."""
        return self.load_batches([line.removesuffix(b"\n")] for line in messages)

    def load_batches(self, batches: Iterable[Sequence[bytes]]) -> Outcomes:
        r"""Load all messages, lines without "\n"; a batch is what is there at once.

        Raises PermanentError or RetryableError with a sentence, and whatever `batches` raises.
        After a failure full-refresh tables are as before, incremental ones hold every row whose state was handed on.
        """
        with closing(self._upload), database.connect(self._conninfo) as connection, database.naming_errors():
            self._prepare(connection)
            try:
                self._consume(connection, batches)
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
        held = [stream.temporary_table for stream in self._streams.values()]
        if self._owner is not None:
            held.append(naming.lock_name(self._owner.connection_id))
        database.lock_tables(connection, held)
        self._commits.check(connection)
        database.sweep_temporary_tables(connection, self._staging_schema)
        for stream in self._streams.values():
            stream.check(connection)

    def _consume(self, connection: Connection, batches: Iterable[Sequence[bytes]]) -> None:
        for item in read_batches(self._watched(batches)):
            if isinstance(item, Records):
                self._records(connection, item)
            else:
                self._message(connection, *item)

    def _message(self, connection: Connection, number: int, size: int, message: JsonObject) -> None:
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

    def _watched(self, batches: Iterable[Sequence[bytes]]) -> Iterator[Sequence[bytes]]:
        """The source's own failure is told apart from the loader's."""
        try:
            for batch in batches:
                if not batch and self._unreported:  # the source is quiet for a while
                    self._report()
                yield batch
        except Exception:
            self._source_failed = True
            raise

    def _record(self, connection: Connection, message: JsonObject, number: int, size: int) -> None:
        key, data, emitted_at, changes = record_of(message, number)
        stream = self._open_stream(key, number)
        line = stream.line(data, emitted_at, changes)
        if line is not None:
            stream.add(line)
        self._count(connection, stream, 1, size)

    def _records(self, connection: Connection, records: Records) -> None:
        stream = self._open_stream(records.key, records.first_line)
        stream.add_records(records.data, records.emitted_at)
        self._count(connection, stream, len(records.data), records.size)

    def _open_stream(self, key: StreamKey, number: int) -> StreamLoad:
        stream = self._streams.get(key)
        if stream is None or stream.outcome.complete:
            what = "an undeclared stream" if stream is None else "a stream that it called complete"
            raise PermanentError(f"Line {number} of the connector's output is a record of {what}.", stream=key[1])
        return stream

    def _count(self, connection: Connection, stream: StreamLoad, records: int, size: int) -> None:
        stream.outcome.records_emitted += records
        stream.outcome.bytes_emitted += size
        if stream.buffered_bytes >= _FLUSH_BYTES:
            self._begin_flush(connection, stream)
            self._bound_buffers(connection)
        self._unreported += records
        if self._unreported >= _PROGRESS_RECORDS:
            self._report()

    def _bound_buffers(self, connection: Connection) -> None:
        while sum(stream.buffered_bytes for stream in self._streams.values()) > _BUFFERED_BYTES:
            self._begin_flush(connection, max(self._streams.values(), key=lambda stream: stream.buffered_bytes))

    def _begin_flush(self, connection: Connection, stream: StreamLoad) -> None:
        self._upload.wait()  # before they are taken: if it raises, they must not be nowhere
        rows = stream.take()
        self._upload.start(lambda: stream.copy(connection, rows))

    def _report(self) -> None:
        if time.monotonic() - self._reported >= 1.0:
            self._unreported, self._reported = 0, time.monotonic()
            self._on_progress(self.outcomes)

    def _state(self, connection: Connection, message: JsonObject, number: int) -> None:
        state = message.get("state")
        if not isinstance(state, dict):
            raise PermanentError(f"Line {number} of the connector's output is a STATE without a state.")
        key = state_stream(state)
        if key is not None and key not in self._streams:
            raise PermanentError(f"Line {number} of the connector's output is a state of an undeclared stream.",
                                 stream=key[1])  # fmt: skip
        self._commits.add_state(connection, state)
        waiting = sum(stream.unmerged for stream in self._streams.values())
        if waiting >= self._checkpoint_rows or time.monotonic() - self._checkpointed >= _CHECKPOINT_SECONDS:
            self._commits.checkpoint(connection)
            self._checkpointed = time.monotonic()

    def _trace(self, connection: Connection, message: JsonObject) -> None:
        error = trace_error(message)
        if error is not None and not self._errors:  # the first is the one that is told
            self._errors.append(error)
        status = stream_status(message)
        if status is None:
            return
        key, what = status
        self._statuses[key] = what
        stream = self._streams.get(key)
        if what == "COMPLETE" and stream is not None and not stream.outcome.complete:
            self._commits.finish(connection, stream)
            self._tell_unknown_fields(stream)

    def _tell_unknown_fields(self, stream: StreamLoad) -> None:
        if stream.rows.unknown_fields:
            fields = ", ".join(sorted(stream.rows.unknown_fields)[:20])
            self._on_log("WARN", f"Stream {stream.target.stream} has fields that its schema does not name: {fields}.")

    def _finish_silent_streams(self, connection: Connection) -> None:
        """Whoever reports statuses must report them all; a source that may go without is done when it exits with 0."""
        unfinished = [
            stream
            for stream in self._streams.values()
            if not stream.outcome.complete and not self._commits.is_ending(stream)
        ]
        if self._needs_statuses or self._statuses or self._errors:
            self._errors += [
                RetryableError("The connector ended before the stream was complete.", stream=stream.target.stream)
                for stream in unfinished
            ]
            unfinished = []
        if not self._errors:
            self._commits.finish_rest(connection, unfinished)
            for stream in unfinished:
                self._tell_unknown_fields(stream)

    def _close_after(self, connection: Connection, error: Exception) -> None:
        """Tidy up after `error`, which stays the one that is reported."""
        of_database = isinstance(error, psycopg.Error) or isinstance(error.__cause__, psycopg.Error)
        try:
            self._close_unfinished(connection, keep=not of_database)
        except (psycopg.Error, ServerError) as second:
            error.add_note(f"Then, while tidying up: {second}")

    def _close_unfinished(self, connection: Connection, *, keep: bool) -> None:
        """Keep incremental rows that a repeat finds by key or does not read again; drop every temporary table."""
        self._upload.wait()
        if connection.broken or connection.closed:
            return
        if keep:
            self._commits.checkpoint(connection)
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
