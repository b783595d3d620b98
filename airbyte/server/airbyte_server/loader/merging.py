"""The one statement that brings staged rows into a deduplicated table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg import sql

from airbyte_server.loader.columns import Column
from airbyte_server.loader.database import Connection
from airbyte_server.loader.tables import all_column_names


@dataclass(frozen=True)
class Merged:
    """What a merge did: rows updated and inserted, and staged rows that shared a key with another of this job."""

    written: int
    duplicates: int


@dataclass(frozen=True)
class Merge:
    """Statements for one stream; `row_id_prefix` tells this job's rows from older ones."""

    staged: sql.Identifier
    target: sql.Identifier
    columns: Sequence[Column]
    keys: Sequence[Column]
    cursor: Column | None
    row_id_prefix: str

    def run(self, connection: Connection, *, null_keys: bool) -> Merged:
        """Merge all staged rows; with `null_keys` those without a full key are told apart by their content."""
        row = connection.execute(self._by_key(), {"prefix": f"{self.row_id_prefix}%"}).fetchone()
        assert row is not None
        staged, distinct, updated, inserted, again = row
        merged = Merged(updated + inserted, staged - distinct + again)
        return self._with_keyless(connection, merged, null_keys=null_keys)

    def fill(self, connection: Connection, *, keyed: int, null_keys: bool) -> Merged:
        """`run` into a table without rows, in half the time; `keyed` staged rows have a full key."""
        inserted = connection.execute(self._newest()).rowcount
        return self._with_keyless(connection, Merged(inserted, keyed - inserted), null_keys=null_keys)

    def _with_keyless(self, connection: Connection, merged: Merged, *, null_keys: bool) -> Merged:
        if not null_keys:
            return merged
        row = connection.execute(self._by_content()).fetchone()
        assert row is not None
        staged, inserted = row
        return Merged(merged.written + inserted, merged.duplicates + staged - inserted)

    def _newest(self) -> sql.Composed:
        return sql.SQL(
            """
            insert into {target} ({names})
            select distinct on ({keys}) {names} from {staged} where {keyed} order by {keys}, {order}
            """
        ).format(
            target=self.target,
            names=_list(all_column_names(self.columns)),
            keys=_list(key.name for key in self.keys),
            staged=self.staged,
            keyed=self._keyed(),
            order=self._order(),
        )

    def _keyed(self) -> sql.Composable:
        return sql.SQL(" and ").join(sql.SQL("{} is not null").format(sql.Identifier(key.name)) for key in self.keys)

    def _order(self) -> sql.Composable:
        latest = sql.SQL('_airbyte_extracted_at desc, _airbyte_raw_id collate "C" desc')
        if self.cursor is None:
            return latest
        return sql.SQL("{} desc nulls last, {}").format(sql.Identifier(self.cursor.name), latest)

    def _by_key(self) -> sql.Composed:
        names = all_column_names(self.columns)
        return sql.SQL(
            """
            with ranked as (
                select ctid as place, row_number() over (
                    partition by {keys} order by {order}
                ) as rank
                from {staged} where {keyed}
            ),
            latest as materialized (
                select s.* from {staged} s join ranked on ranked.place = s.ctid where ranked.rank = 1
            ),
            again as (
                select count(*) from latest s join {target} t on {matches} where t._airbyte_raw_id like %(prefix)s
            ),
            updated as (
                update {target} t set {assignments} from latest s where {matches} and ({newer}) returning 1
            ),
            inserted as (
                insert into {target} ({names})
                select {names} from latest s where not exists (select from {target} t where {matches}) returning 1
            )
            select (select count(*) from ranked), (select count(*) from latest), (select count(*) from updated),
                (select count(*) from inserted), (select count from again)
            """
        ).format(
            keys=_list(key.name for key in self.keys),
            keyed=self._keyed(),
            order=self._order(),
            staged=self.staged,
            target=self.target,
            matches=sql.SQL(" and ").join(sql.SQL("t.{0} = s.{0}").format(sql.Identifier(k.name)) for k in self.keys),
            newer=self._newer(),
            names=_list(names),
            assignments=sql.SQL(", ").join(sql.SQL("{0} = s.{0}").format(sql.Identifier(name)) for name in names),
        )  # fmt: skip

    def _newer(self) -> sql.Composable:
        # At the same instant the later message wins, so that the order of a source is kept.
        later = sql.SQL("t._airbyte_extracted_at <= s._airbyte_extracted_at")
        if self.cursor is None:
            return later
        return sql.SQL(
            """
            t.{0} < s.{0} or (t.{0} is null and s.{0} is not null)
            or (t.{0} is not distinct from s.{0} and {1})
            """
        ).format(sql.Identifier(self.cursor.name), later)

    def _by_content(self) -> sql.Composed:
        contents = [sql.Identifier(column.name) for column in self.columns]
        return sql.SQL(
            """
            with staged as (select * from {staged} where {keyless}),
            inserted as (
                insert into {target} ({names})
                select distinct on ({content}) {names} from staged s
                where not exists (
                    select from {target} t where {keyless}
                    and row({target_content}) is not distinct from row({staged_content})
                )
                order by {content}, _airbyte_extracted_at desc
                returning 1
            )
            select (select count(*) from staged), (select count(*) from inserted)
            """
        ).format(
            staged=self.staged,
            target=self.target,
            keyless=sql.SQL("({})").format(
                sql.SQL(" or ").join(sql.SQL("{} is null").format(sql.Identifier(key.name)) for key in self.keys)
            ),
            names=_list(all_column_names(self.columns)),
            content=sql.SQL(", ").join(contents),
            target_content=sql.SQL(", ").join(sql.SQL("t.{}").format(name) for name in contents),
            staged_content=sql.SQL(", ").join(sql.SQL("s.{}").format(name) for name in contents),
        )


def _list(names: Iterable[str]) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)
