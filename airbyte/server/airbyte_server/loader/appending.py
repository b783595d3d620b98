"""Tables that keep every record: rows are added, and none is ever replaced."""

from psycopg import sql

from airbyte_server.loader import tables
from airbyte_server.loader.database import Connection
from airbyte_server.loader.streams import StagedLoad
from airbyte_server.loader.targets import StreamTarget


class AppendLoad(StagedLoad):
    """What both appending modes share: staged rows are added to the final table."""

    def _bring(self, connection: Connection) -> None:
        names = sql.SQL(", ").join(map(sql.Identifier, tables.all_column_names(self.columns)))
        connection.execute(
            sql.SQL("insert into {} ({names}) select {names} from {}").format(self._final, self._temporary, names=names)
        )

    def committed(self, *, last: bool) -> None:
        """Count every row that was added."""
        self.outcome.rows_written += self.unmerged
        super().committed(last=last)


class RefreshAppendLoad(AppendLoad):
    """full_refresh_append: a stream's rows are added at its end, all or none: half of them would stay for ever."""

    whole = True

    def commit(self, connection: Connection, *, last: bool) -> None:
        """Add all rows; a repeat has none of the rows of the attempt before it, even if it has no rows itself."""
        if self.repeats:
            self._ensure_final(connection)
            self._take_back(connection)
        super().commit(connection, last=last)

    def _take_back(self, connection: Connection) -> None:
        """An earlier attempt of this sync may have come to this stream's end, and not to its own."""
        connection.execute(
            sql.SQL(
                "delete from {} where _airbyte_generation_id between %s and %s and _airbyte_meta ->> 'sync_id' = %s"
            ).format(self._final),
            (self.target.generation_id - self.repeats, self.target.generation_id, str(self.sync_id)),
        )


class IncrementalAppendLoad(AppendLoad):
    """incremental_append: rows are added once a state covers them all, so that a repeat reads none of them again."""

    def __init__(self, target: StreamTarget, *, sync_id: int, staging_schema: str) -> None:
        super().__init__(target, sync_id=sync_id, staging_schema=staging_schema)
        self._covered = 0

    @property
    def is_covered(self) -> bool:
        """Whether no row came after the newest state."""
        return super().is_covered and self._covered == self.unmerged

    def cover(self) -> None:
        """The rows so far are covered."""
        self._covered = self.unmerged

    def committed(self, *, last: bool) -> None:
        """Begin to count anew."""
        super().committed(last=last)
        self._covered = 0
