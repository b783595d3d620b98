"""Reading a tenant's tables, always as its builder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.sql import quoted_name

from analysis.errors import PermanentError
from analysis.profiling import StreamSample
from orchestration.resources.airbyte_records import ConfiguredStream
from orchestration.tenancy.raw_names import META_COLUMNS, raw_column_names, raw_table_name
from orchestration.tenancy.statements import fetch, run, transaction

_EXISTS = "select exists (select from pg_catalog.pg_tables where schemaname = %(schema)s and tablename = %(table)s)"


@dataclass(frozen=True)
class TableSize:
    """Rows and bytes (indexes included) of one table."""

    rows: int
    bytes: int


def table_sizes(builder: Engine, schema: str, tables: Iterable[str]) -> dict[str, TableSize]:
    """Exact row counts and sizes of the tables that exist, by name."""
    listed = "select tablename from pg_catalog.pg_tables where schemaname = %(schema)s"
    size = "select pg_catalog.pg_total_relation_size(format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass)"
    sizes = {}
    with transaction(builder) as connection:
        present = {row[0] for row in fetch(connection, listed, schema=schema)}
        for table in sorted(present.intersection(tables)):
            rows = run(connection, "select count(*) from {schema}.{table}", schema=schema, table=table)[0][0]
            sizes[table] = TableSize(rows, fetch(connection, size, schema=schema, table=table)[0][0])
    return sizes


def relation_bytes(builder: Engine, schema: str) -> dict[str, int]:
    """Sizes of a schema's tables, indexes included, by name; a view has none."""
    sizes = """
        select relname, pg_catalog.pg_total_relation_size(oid) from pg_catalog.pg_class
        where relkind = 'r' and relnamespace = (select oid from pg_catalog.pg_namespace where nspname = %(schema)s)
    """
    with transaction(builder) as connection:
        return dict(fetch(connection, sizes, schema=schema))


def table_columns(builder: Engine, schema: str) -> dict[str, dict[str, str]]:
    """Stream columns of every table of a schema: column → PostgreSQL type."""
    listed = """
        select table_name, column_name, data_type from information_schema.columns
        where table_schema = %(schema)s order by table_name, ordinal_position
    """
    columns: dict[str, dict[str, str]] = {}
    with transaction(builder) as connection:
        for table, column, kind in fetch(connection, listed, schema=schema):
            found = columns.setdefault(table, {})
            if column not in META_COLUMNS:
                found[column] = kind
    return columns


def read_sample(
    builder: Engine, schema: str, source: str, prefix: str, stream: ConfiguredStream, limit: int
) -> StreamSample:
    """One stream's sampled records under their raw column names, with the declared schema under the same names."""
    table = raw_table_name(prefix, stream.name)
    properties: Mapping[str, Any] = stream.json_schema.get("properties") or {}
    columns = raw_column_names(properties)
    with transaction(builder) as connection:
        if not fetch(connection, _EXISTS, schema=schema, table=table)[0][0]:
            raise PermanentError(
                "The sample is gone, it lives as long as its run; run `sample/streams` in the same run.", table=table
            )
        # to_jsonb gives every type as the JSON value it came from.
        rows = run(
            connection,
            "select to_jsonb(t) from {schema}.{table} as t order by _airbyte_raw_id limit {}",
            sql.Literal(limit),
            schema=schema,
            table=table,
        )
    return StreamSample(
        source=source,
        stream=stream.name,
        table=table,
        json_schema={**stream.json_schema, "properties": {columns[name]: kind for name, kind in properties.items()}},
        primary_key=tuple(_renamed(path, columns) for path in stream.primary_key),
        cursor=_renamed(stream.cursor, columns),
        records=[{name: value for name, value in row[0].items() if name not in META_COLUMNS} for row in rows],
    )


def _renamed(path: tuple[str, ...], columns: Mapping[str, str]) -> tuple[str, ...]:
    return (columns.get(path[0], path[0]), *path[1:]) if path else ()


def preview(login: Engine, schema: str, table: str, limit: int = 10) -> list[dict[str, object]]:
    """The last rows of a table by its first column, columns in the table's order."""
    relation = sa.table(quoted_name(table, quote=True), schema=quoted_name(schema, quote=True))
    statement = sa.select(sa.text("*")).select_from(relation).order_by(sa.text("1 desc")).limit(limit)
    with login.connect() as connection:
        return [dict(row) for row in connection.execute(statement).mappings()]
