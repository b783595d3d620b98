"""Which connection writes which table: each table of a destination has one writer."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, or_, select
from sqlalchemy.dialects.postgresql import insert

from airbyte_server.actors import destinations
from airbyte_server.connections import catalog
from airbyte_server.errors import ConflictError, RefusedError
from airbyte_server.secrets.box import Configuration
from airbyte_server.state.tables import connections, jobs, written_tables


def schemas_of(connection: Mapping[str, Any], destination: Configuration) -> dict[tuple[str, str], str]:
    """The schema of each stream of a connection; two streams of it in one table are refused."""
    definition, namespace_format = connection["namespace_definition"], connection["namespace_format"]
    if definition == "custom_format" and not (namespace_format or "").strip():
        raise RefusedError("namespaceDefinition custom_format needs a namespaceFormat that is not blank.")
    default_schema = destinations.default_schema(destination)
    schemas = catalog.target_schemas(connection["streams"], definition, namespace_format, default_schema)
    catalog.check_tables(connection["streams"], schemas, connection["prefix"])
    return schemas


def reserve(transaction: Connection, connection: Mapping[str, Any], destination: Configuration) -> None:
    """Note the tables of a connection; ConflictError names the connection that has one of them already.

    A sample has its tables as long as its job is active.
    """
    schemas = schemas_of(connection, destination)
    server, connection_id = destinations.server_name(destination), connection["connection_id"]
    wanted = sorted(
        (schemas[catalog.stream_key(stream)], catalog.table_name(connection["prefix"], stream))
        for stream in connection["streams"]
    )
    rows = [
        {"server": server, "schema_name": schema, "table_name": table, "connection_id": connection_id}
        for schema, table in wanted
    ]
    active = select(jobs.c.job_id).where(jobs.c.connection_id == connections.c.connection_id, jobs.c.ended_at.is_(None))
    at_rest = select(connections.c.connection_id).where(connections.c.is_sample, ~active.exists())
    mine_or_nobodys = written_tables.c.connection_id == connection_id, written_tables.c.connection_id.in_(at_rest)
    transaction.execute(delete(written_tables).where(or_(*mine_or_nobodys)))
    if not rows:
        return
    names = written_tables.c.schema_name, written_tables.c.table_name
    noted = transaction.execute(insert(written_tables).values(rows).on_conflict_do_nothing().returning(*names))
    taken = set(wanted) - {(row.schema_name, row.table_name) for row in noted}
    if taken:
        raise _conflict(transaction, server, *min(taken))


def reserve_again(transaction: Connection, destination_id: str, destination: Configuration) -> None:
    """Note the tables of all connections of a destination whose configuration changes."""
    mine = connections.c.destination_id == destination_id, ~connections.c.is_sample
    rows = transaction.execute(select(connections).where(*mine)).all()
    for row in rows:
        reserve(transaction, dict(row._mapping), destination)


def _conflict(transaction: Connection, server: str, schema: str, table: str) -> ConflictError:
    other = transaction.execute(
        select(connections.c.connection_id, connections.c.name)
        .join(written_tables, written_tables.c.connection_id == connections.c.connection_id)
        .where(
            written_tables.c.server == server,
            written_tables.c.schema_name == schema,
            written_tables.c.table_name == table,
        )
    ).first()
    by = f"connection {other.name!r} ({other.connection_id})" if other else "another connection"
    return ConflictError(
        f"Table {schema}.{table} is written by {by}; change the prefix or the namespace, or leave the stream out."
    )
