"""Tables that are replaced as a whole: readers see the old rows until the new table takes its place."""

from airbyte_server.loader import ranking, tables
from airbyte_server.loader.database import Connection
from airbyte_server.loader.streams import StreamLoad


class OverwriteLoad(StreamLoad):
    """Both overwriting modes, and the refresh of any other: an unfinished table replaces none."""

    whole = True
    _duplicates = 0

    def commit(self, connection: Connection, *, last: bool) -> None:
        """Swap the new table in."""
        self.prepare(connection)
        self._existing_columns(connection)
        self._duplicates = self._drop_duplicates(connection) if self.keys else 0
        tables.ensure_indexes(connection, self._temporary, self._indexes())
        tables.swap_in(
            connection, (self._staging_schema, self.temporary_table), (self.target.namespace, self.target.table)
        )

    def committed(self, *, last: bool) -> None:
        """Count what is there now."""
        self.outcome.rows_written += self.unmerged - self._duplicates
        self.outcome.duplicates += self._duplicates
        super().committed(last=last)

    def _drop_duplicates(self, connection: Connection) -> int:
        null_keys = self.rows.null_keys > 0
        return ranking.drop_duplicates(
            connection, self._temporary, self.columns, self.keys, self.cursor, null_keys=null_keys
        )
