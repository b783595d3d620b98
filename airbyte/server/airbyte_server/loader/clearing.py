"""Empties the tables of a connection, and lets it forget how far it had read."""

from collections.abc import Sequence

from psycopg import sql

from airbyte_server.loader import database, state_table, tables
from airbyte_server.loader.naming import temporary_table_name
from airbyte_server.loader.targets import StreamTarget


def clear_tables(
    conninfo: str, targets: Sequence[StreamTarget], *, connection_id: str, staging_schema: str
) -> list[str]:
    """Empty the tables that are there, all or none, with their states; their names. Nothing is dropped.

    What is not an Airbyte table is a PermanentError, a table that another job loads a RetryableError.
    """
    with database.connect(conninfo) as connection, database.naming_errors():
        names = (temporary_table_name(target.namespace, target.table) for target in targets)
        database.lock_tables(connection, names)
        database.sweep_temporary_tables(connection, staging_schema)
        with connection.transaction():
            present = [
                target
                for target in targets
                if tables.existing_columns(connection, target.namespace, target.table) is not None
            ]
            for target in present:
                connection.execute(sql.SQL("truncate {}").format(sql.Identifier(target.namespace, target.table)))
            state_table.forget(connection, connection_id, targets)
    return [f"{target.namespace}.{target.table}" for target in present]
