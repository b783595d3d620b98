"""One stream's way into its table: buffered rows, a temporary table, and how that becomes the final one."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psycopg import sql

from airbyte_server.errors import PermanentError, RetryableError
from airbyte_server.loader import database, evolution, tables
from airbyte_server.loader.columns import columns_of, cursor_column, key_columns
from airbyte_server.loader.database import Connection
from airbyte_server.loader.naming import temporary_table_name
from airbyte_server.loader.rows import RowWriter
from airbyte_server.loader.targets import StreamOutcome, StreamTarget
from airbyte_server.sync_modes import INCREMENTAL, KEYED


class StreamLoad(ABC):
    """Rows of one stream; `dirty` while some are not in the final table."""

    def __init__(self, target: StreamTarget, *, sync_id: int, staging_schema: str) -> None:
        self.target = target
        self.sync_id = sync_id
        self.outcome = StreamOutcome(target.stream, target.source_namespace)
        self.columns = columns_of(target.json_schema)
        deduplicates = target.sync_mode in KEYED
        self.keys = key_columns(self.columns, target.primary_key, stream=target.stream) if deduplicates else ()
        if deduplicates and not self.keys:
            raise PermanentError(
                "The stream has no primary key, which this sync mode needs; choose a key or another mode.",
                stream=target.stream,
            )
        self.cursor = cursor_column(self.columns, target.cursor)
        self.rows = RowWriter(self.columns, sync_id=sync_id, generation_id=target.generation_id, keys=self.keys)
        self.line: Callable[..., str | None] = self.rows.line if target.mapper is None else self._mapped_line
        """One record's row, or None for one that the target's mapping leaves out."""
        self.temporary_table = temporary_table_name(target.namespace, target.table)
        self.buffered_bytes = 0
        self.unmerged = 0
        self._buffer: list[bytes] = []
        self._staging_schema = staging_schema
        self._temporary = sql.Identifier(staging_schema, self.temporary_table)
        self._final = sql.Identifier(target.namespace, target.table)
        self._prepared = False
        self._final_ready = False
        self._final_is_new = False
        self._was_there = False
        self._lacks_rows = False
        self._copy = sql.SQL("copy {} ({}) from stdin").format(
            self._temporary, sql.SQL(", ").join(map(sql.Identifier, tables.all_column_names(self.columns)))
        )

    @property
    def dirty(self) -> bool:
        """Whether rows are waiting to become part of the final table."""
        return self.unmerged > 0

    def _mapped_line(
        self, data: dict[str, Any], emitted_at: int, changes: Sequence[Mapping[str, Any]] = ()
    ) -> str | None:
        assert self.target.mapper is not None
        mapped = self.target.mapper(data)
        if mapped is None:
            self.outcome.rows_filtered += 1
            return None
        return self.rows.line(mapped, emitted_at, changes)

    def add(self, line: str) -> None:
        """Buffer one row."""
        self._buffer_rows(line.encode(), 1)

    def add_records(self, records: Sequence[dict[str, Any]], emitted_at: Sequence[int]) -> None:
        """Buffer the rows of many records of which the source has changed nothing."""
        if self.target.mapper is None:
            self._buffer_rows(self.rows.block(records, emitted_at), len(records))
            return
        for data, moment in zip(records, emitted_at, strict=True):
            line = self.line(data, moment, ())
            if line is not None:
                self.add(line)

    def _buffer_rows(self, rows: bytes, count: int) -> None:
        self._buffer.append(rows)
        self.buffered_bytes += len(rows)
        self.unmerged += count

    def flush(self, connection: Connection) -> None:
        """Copy the buffered rows into the temporary table."""
        self.copy(connection, self.take())

    def take(self) -> Sequence[bytes]:
        """The buffered rows, which are the caller's now."""
        rows, self._buffer, self.buffered_bytes = self._buffer, [], 0
        return rows

    def copy(self, connection: Connection, rows: Sequence[bytes]) -> None:
        """Copy rows into the temporary table, in a transaction."""
        if not rows:
            return
        self._lacks_rows = True  # until they are there: they are nowhere else any more
        with connection.transaction(), database.naming_errors(self.target.stream):
            self.prepare(connection)
            # The swap or merge that makes these rows count waits for the disk.
            connection.execute("set local synchronous_commit = off")
            with connection.cursor() as cursor, cursor.copy(self._copy) as copy:
                copy.write(b"".join(rows))
        self._lacks_rows = False

    def prepare(self, connection: Connection) -> None:
        """Make an empty temporary table, once."""
        if not self._prepared:
            database.drop_table(connection, self._staging_schema, self.temporary_table)
            tables.create_table(connection, self._temporary, self.columns, unlogged=self.unlogged, temporary=True)
            self._prepared = True

    def discard(self, connection: Connection) -> None:
        """Drop the temporary table; what is not in the final table is forgotten."""
        self._buffer.clear()
        if self._prepared:
            database.drop_table(connection, self._staging_schema, self.temporary_table)
            self._prepared = False

    def _existing_columns(self, connection: Connection) -> dict[str, str] | None:
        return tables.existing_columns(connection, self.target.namespace, self.target.table)

    def _ensure_final(self, connection: Connection) -> None:
        if self._final_ready:
            return
        present = self._existing_columns(connection)
        self._final_is_new = present is None
        if present is None and self._was_there:  # its state covers rows that are gone
            raise RetryableError("The table was dropped while it was loaded; try again.", stream=self.target.stream)
        if present is None:
            tables.create_table(connection, self._final, self.columns)
        else:
            evolution.evolve(connection, self.target.namespace, self.target.table, present, self.columns)

    def _indexes(self) -> list[list[str]]:
        wanted = [["_airbyte_extracted_at"]]
        if not self.keys:
            return wanted
        wanted.insert(0, [key.name for key in self.keys])
        return [*wanted, [self.cursor.name]] if self.cursor else wanted

    repeats = 0
    """How many attempts of the same sync were made before; each full refresh of them had a generation of its own."""
    unlogged = False
    whole = False
    """Whether rows count only once the stream has been read to its end."""

    @property
    def keeps_state(self) -> bool:
        """Whether the next job goes on from a state of this stream."""
        return self.target.sync_mode in INCREMENTAL

    @property
    def is_covered(self) -> bool:
        """Whether the rows so far may count now: all are there, and a repeat of any does no harm or does not happen."""
        return not self._lacks_rows

    def cover(self) -> None:  # noqa: B027 most modes do not ask
        """A state has arrived that covers every row so far."""

    def check(self, connection: Connection) -> None:
        """Refuse a target that can never work, before the source has read anything."""
        self._was_there = self._existing_columns(connection) is not None

    @abstractmethod
    def commit(self, connection: Connection, *, last: bool) -> None:
        """Make the flushed rows part of the final table, in the caller's transaction; `last` at the stream's end."""

    def committed(self, *, last: bool) -> None:
        """The caller's transaction is committed."""
        self.unmerged = 0
        if last:
            self._prepared = False
            self.outcome.complete = True


class StagedLoad(StreamLoad):
    """Modes that keep the final table and bring staged rows into it, batch by batch."""

    unlogged = True

    def commit(self, connection: Connection, *, last: bool) -> None:
        """Bring in what is staged; the first time the table follows the stream's schema of today."""
        self._ensure_final(connection)
        if self.dirty:
            self._bring(connection)
        if not self._final_ready:
            tables.ensure_indexes(connection, self._final, self._indexes())
        if self._prepared and last:
            database.drop_table(connection, self._staging_schema, self.temporary_table)
        elif self._prepared:
            connection.execute(sql.SQL("truncate {}").format(self._temporary))

    def committed(self, *, last: bool) -> None:
        """From now on the final table is as it must be."""
        self._final_ready = True
        super().committed(last=last)

    @abstractmethod
    def _bring(self, connection: Connection) -> None: ...
