"""Where states are: a table in each schema, or one of its own for a login that may not write the other."""

from collections.abc import Sequence

from psycopg import sql

from airbyte_server.loader.database import Connection

TABLE = "_airbyte_states"

_CREATE = """
create table if not exists {} (
    connection_id varchar not null,
    stream varchar not null,
    stream_namespace varchar not null,
    table_name varchar not null,
    covered varchar[] not null,
    state jsonb not null,
    job_id bigint not null,
    saved_at timestamp with time zone not null,
    primary key (connection_id, stream, stream_namespace, table_name)
)
"""
_NAME = """
select case when bool_or(not pg_has_role(relowner, 'usage')) then %(table)s || '_' || left(md5(current_user), 8)
       else %(table)s end
from pg_class where relnamespace = (select oid from pg_namespace where nspname = %(schema)s) and relname = %(table)s
"""


def find(connection: Connection, schema: str) -> sql.Identifier | None:
    """The table of this login's states, if there is one."""
    name = _name(connection, schema)
    return sql.Identifier(schema, name) if existing(connection, schema, [name]) else None


def ensured(connection: Connection, schema: str) -> sql.Identifier:
    """The table of this login's states, made where it is missing."""
    found = find(connection, schema)
    if found is not None:
        return found
    # Two jobs that make it at once would collide in the catalog, whatever `if not exists` says.
    connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{schema}.{TABLE}",))
    place = sql.Identifier(schema, _name(connection, schema))
    connection.execute(sql.SQL(_CREATE).format(place))
    return place


def existing(connection: Connection, schema: str, tables: Sequence[str]) -> set[str]:
    """Which of these tables the schema has."""
    rows = connection.execute(
        """
        select relname::text from pg_class
        where relnamespace = (select oid from pg_namespace where nspname = %s) and relname = any(%s)
        """,
        (schema, list(tables)),
    )
    return {str(name) for (name,) in rows}


def _name(connection: Connection, schema: str) -> str:
    row = connection.execute(_NAME, {"schema": schema, "table": TABLE}).fetchone()
    return str(row[0]) if row else TABLE
