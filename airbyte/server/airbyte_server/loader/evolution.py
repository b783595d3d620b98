"""Brings an existing Airbyte table to the stream's schema of today."""

from collections.abc import Mapping, Sequence

from psycopg import errors, sql

from airbyte_server.errors import PermanentError
from airbyte_server.loader.columns import Column
from airbyte_server.loader.converters import SERIALIZATION
from airbyte_server.loader.database import Connection
from airbyte_server.loader.tables import META, dependents

# What format_type() says for the types written in CREATE TABLE.
_STORED = {
    "varchar": "character varying",
    "decimal": "numeric",
    "timestamp": "timestamp without time zone",
    "time": "time without time zone",
}
# 5.0 is a bigint too.
_AS_TEXT = {"jsonb": "({} #>> '{{}}')", "numeric": "trim_scale({})::text"}


def evolve(
    connection: Connection, schema: str, table: str, present: Mapping[str, str], columns: Sequence[Column]
) -> None:
    """Add, drop and retype columns; call it inside a transaction.

    A stored value that the new type does not accept becomes NULL, and its row's `_airbyte_meta` says so.
    """
    target = sql.Identifier(schema, table)
    meta = {name for name, _, _ in META}
    wanted = {column.name: column for column in columns}
    readers = dependents(connection, schema, table)
    try:
        for name in present.keys() - meta - wanted.keys():
            connection.execute(sql.SQL("alter table {} drop column {}").format(target, sql.Identifier(name)))
        for name, column in wanted.items():
            stored = _STORED.get(column.sql_type, column.sql_type)
            if name not in present:
                _add(connection, target, name, column.sql_type)
            elif present[name] != stored:
                _retype(connection, target, column, present[name])
        if META[3][0] not in present:
            _add(connection, target, META[3][0], META[3][1])
    except (errors.DependentObjectsStillExist, errors.FeatureNotSupported) as error:
        raise PermanentError(
            f"The table's columns cannot follow the source because {readers} depends on them; drop that first.",
            schema=schema,
            table=table,
        ) from error


def _add(connection: Connection, target: sql.Identifier, name: str, sql_type: str) -> None:
    connection.execute(
        sql.SQL("alter table {} add column {} {}").format(target, sql.Identifier(name), sql.SQL(sql_type))
    )


def _retype(connection: Connection, target: sql.Identifier, column: Column, stored: str) -> None:
    name, kind = sql.Identifier(column.name), sql.SQL(column.sql_type)
    if column.sql_type == "jsonb":
        using: sql.Composable = sql.SQL("to_jsonb({})").format(name)
    else:
        text = sql.SQL(_AS_TEXT.get(stored, "{}::text")).format(name)
        _note_unfit(connection, target, column, text)
        using = sql.SQL("case when pg_input_is_valid({0}, {1}) then {0}::{2} end").format(
            text, sql.Literal(column.sql_type), kind
        )
    connection.execute(sql.SQL("alter table {} alter column {} type {} using {}").format(target, name, kind, using))


def _note_unfit(connection: Connection, target: sql.Identifier, column: Column, text: sql.Composable) -> None:
    connection.execute(
        sql.SQL(
            """
            update {target}
            set _airbyte_meta = jsonb_set(
                _airbyte_meta, '{{changes}}',
                coalesce(_airbyte_meta -> 'changes', '[]') || jsonb_build_array(
                    jsonb_build_object('field', {field}::text, 'change', 'NULLED', 'reason', {reason}::text)
                )
            )
            where {name} is not null and not pg_input_is_valid({text}, {kind})
            """
        ).format(
            target=target,
            name=sql.Identifier(column.name),
            text=text,
            field=sql.Literal(column.field),
            reason=sql.Literal(SERIALIZATION),
            kind=sql.Literal(column.sql_type),
        )
    )
