"""Leaves one row per key in a staged table that is about to replace the final one."""

from collections.abc import Sequence

from psycopg import sql

from airbyte_server.loader.columns import Column
from airbyte_server.loader.database import Connection


def drop_duplicates(
    connection: Connection,
    staged: sql.Identifier,
    columns: Sequence[Column],
    keys: Sequence[Column],
    cursor: Column | None,
    *,
    null_keys: bool,
) -> int:
    """Delete all but the newest row of each key, and of rows without a full key all but one of a content; how many."""
    keyed = sql.SQL(" and ").join(sql.SQL("{} is not null").format(sql.Identifier(key.name)) for key in keys)
    newest = sql.SQL('_airbyte_extracted_at desc, _airbyte_raw_id collate "C" desc')
    order = sql.SQL("{} desc nulls last, {}").format(sql.Identifier(cursor.name), newest) if cursor else newest
    deleted = _delete(connection, staged, keyed, keys, order)
    if null_keys:
        deleted += _delete(connection, staged, sql.SQL("not ({})").format(keyed), columns, newest)
    return deleted


def _delete(
    connection: Connection,
    staged: sql.Identifier,
    which: sql.Composable,
    partition: Sequence[Column],
    order: sql.Composable,
) -> int:
    statement = sql.SQL(
        """
        delete from {staged} where ctid in (
            select place from (
                select ctid as place, row_number() over (partition by {partition} order by {order}) as rank
                from {staged} where {which}
            ) ranked where rank > 1
        )
        """
    ).format(
        staged=staged,
        partition=sql.SQL(", ").join(sql.Identifier(column.name) for column in partition),
        order=order,
        which=which,
    )
    return connection.execute(statement).rowcount
