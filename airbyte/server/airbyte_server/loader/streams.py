"""One stream's way into its table: buffered rows, a temporary table, and how that becomes the final one."""

from abc import ABC, abstractmethod

from psycopg import sql

from airbyte_server.errors import PermanentError
from airbyte_server.loader import database, evolution, ranking, tables
from airbyte_server.loader.columns import columns_of, cursor_column, key_columns
from airbyte_server.loader.database import Connection
from airbyte_server.loader.merging import Merge
from airbyte_server.loader.naming import temporary_table_name
from airbyte_server.loader.rows import RowWriter
from airbyte_server.loader.targets import StreamOutcome, StreamTarget
from airbyte_server.sync_modes import KEYED


class StreamLoad(ABC):
    """Rows of one stream; `dirty` while some are not in the final table."""

    def __init__(self, target: StreamTarget, *, sync_id: int, staging_schema: str) -> None:
        self.target = target
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
        self.temporary_table = temporary_table_name(target.namespace, target.table)
        self.buffered_bytes = 0
        self.unmerged = 0
        self._buffer: list[str] = []
        self._staging_schema = staging_schema
        self._temporary = sql.Identifier(staging_schema, self.temporary_table)
        self._final = sql.Identifier(target.namespace, target.table)
        self._prepared = False
        self._final_ready = False
        self._copy = sql.SQL("copy {} ({}) from stdin").format(
            self._temporary, sql.SQL(", ").join(map(sql.Identifier, tables.all_column_names(self.columns)))
        )

    @property
    def dirty(self) -> bool:
        """Whether rows are waiting to become part of the final table."""
        return self.unmerged > 0

    def add(self, line: str) -> None:
        """Buffer one row."""
        self._buffer.append(line)
        self.buffered_bytes += len(line)
        self.unmerged += 1

    def flush(self, connection: Connection) -> None:
        """Copy the buffered rows into the temporary table."""
        if not self._buffer:
            return
        with connection.transaction(), database.naming_errors(self.target.stream):
            self.prepare(connection)
            # The swap or merge that makes these rows count waits for the disk.
            connection.execute("set local synchronous_commit = off")
            with connection.cursor() as cursor, cursor.copy(self._copy) as copy:
                copy.write("".join(self._buffer).encode())
        self._buffer.clear()
        self.buffered_bytes = 0

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

    unlogged = False
    whole = False
    """Whether rows count only once the stream has been read to its end."""

    def cover(self) -> None:  # noqa: B027 most modes do not ask
        """A state has arrived that covers every row so far."""

    def check(self, connection: Connection) -> None:
        """Refuse a target that can never work, before the source has read anything."""
        self._existing_columns(connection)

    @abstractmethod
    def checkpoint(self, connection: Connection) -> None:
        """Commit the rows so far to the final table, where the sync mode allows that before the stream's end."""

    @abstractmethod
    def finish(self, connection: Connection) -> None:
        """The stream is complete: commit all its rows to the final table."""


class OverwriteLoad(StreamLoad):
    """Both overwriting modes: readers see the old rows until the new table takes its place."""

    whole = True

    def checkpoint(self, connection: Connection) -> None:
        """Nothing: an unfinished table replaces none."""

    def finish(self, connection: Connection) -> None:
        """Swap the new table in, in one transaction."""
        self.flush(connection)
        with connection.transaction(), database.naming_errors(self.target.stream):
            self.prepare(connection)
            self._existing_columns(connection)
            duplicates = self._drop_duplicates(connection) if self.keys else 0
            tables.ensure_indexes(connection, self._temporary, self._indexes())
            tables.swap_in(
                connection,
                (self._staging_schema, self.temporary_table),
                (self.target.namespace, self.target.table),
            )
        self._prepared = False
        self.outcome.rows_written += self.unmerged - duplicates
        self.outcome.duplicates += duplicates
        self.unmerged = 0
        self.outcome.complete = True

    def _drop_duplicates(self, connection: Connection) -> int:
        null_keys = self.rows.null_keys > 0
        return ranking.drop_duplicates(
            connection, self._temporary, self.columns, self.keys, self.cursor, null_keys=null_keys
        )


class DedupedLoad(StreamLoad):
    """incremental_deduped_history: the newest record of each key; merged at checkpoints and at the end."""

    unlogged = True

    def __init__(self, target: StreamTarget, *, sync_id: int, staging_schema: str) -> None:
        super().__init__(target, sync_id=sync_id, staging_schema=staging_schema)
        self._merge = Merge(
            self._temporary, self._final, self.columns, self.keys, self.cursor, self.rows.row_id_prefix
        )  # fmt: skip

    def checkpoint(self, connection: Connection) -> None:
        """Merge what is staged; one transaction."""
        self.flush(connection)
        if not self.dirty and self._final_ready:
            return
        with connection.transaction(), database.naming_errors(self.target.stream):
            self._ensure_final(connection)
            if self.dirty:
                merged = self._merge.run(connection, null_keys=self.rows.null_keys > 0)
                connection.execute(sql.SQL("truncate {}").format(self._temporary))
                self.outcome.rows_written += merged.written
                self.outcome.duplicates += merged.duplicates
            if not self._final_ready:
                tables.ensure_indexes(connection, self._final, self._indexes())
        self._final_ready = True
        self.unmerged = 0
        self.rows.null_keys = 0

    def finish(self, connection: Connection) -> None:
        """Merge the rest and drop the temporary table."""
        self.checkpoint(connection)
        with database.naming_errors(self.target.stream):
            self.discard(connection)
        self.outcome.complete = True
