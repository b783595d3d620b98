"""Tables that keep every record: rows are added, and none is ever replaced."""

from psycopg import sql

from airbyte_server.loader import database, tables
from airbyte_server.loader.database import Connection
from airbyte_server.loader.streams import StreamLoad
from airbyte_server.loader.targets import StreamTarget


class AppendLoad(StreamLoad):
    """What both appending modes share: staged rows are added to the final table in one transaction."""

    unlogged = True

    def finish(self, connection: Connection) -> None:
        """Add the rest and drop the temporary table."""
        self._append(connection)
        with database.naming_errors(self.target.stream):
            self.discard(connection)
        self.outcome.complete = True

    def _append(self, connection: Connection) -> None:
        self.flush(connection)
        if not self.dirty and self._final_ready:
            return
        with connection.transaction(), database.naming_errors(self.target.stream):
            self._ensure_final(connection)
            if self.dirty:
                names = sql.SQL(", ").join(map(sql.Identifier, tables.all_column_names(self.columns)))
                connection.execute(
                    sql.SQL("insert into {} ({names}) select {names} from {}").format(
                        self._final, self._temporary, names=names
                    )
                )
                connection.execute(sql.SQL("truncate {}").format(self._temporary))
            if not self._final_ready:
                tables.ensure_indexes(connection, self._final, self._indexes())
        self._final_ready = True
        self.outcome.rows_written += self.unmerged
        self.unmerged = 0


class RefreshAppendLoad(AppendLoad):
    """full_refresh_append: a stream's rows are added at its end, all or none."""

    whole = True

    def checkpoint(self, connection: Connection) -> None:
        """Nothing: half a refresh would stay in the table beside the next one."""


class IncrementalAppendLoad(AppendLoad):
    """incremental_append: rows are added once a state covers them all, so that a repeat reads none of them again."""

    def __init__(self, target: StreamTarget, *, sync_id: int, staging_schema: str) -> None:
        super().__init__(target, sync_id=sync_id, staging_schema=staging_schema)
        self._covered = 0

    def cover(self) -> None:
        """The rows so far are covered."""
        self._covered = self.unmerged

    def checkpoint(self, connection: Connection) -> None:
        """Add what is staged; rows after the newest state wait for the next one, or for the stream's end."""
        if self._covered == self.unmerged:
            self._append(connection)
            self._covered = 0
