"""The columns a stream's JSON schema asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from airbyte_server.errors import PermanentError
from airbyte_server.loader.naming import column_names

Kind = Literal["string", "number", "integer", "boolean", "object", "array", "json", "date", "timestamptz",
               "timestamp", "timetz", "time"]  # fmt: skip

SQL_TYPES: Mapping[Kind, str] = {
    "string": "varchar",
    "number": "decimal",
    "integer": "bigint",
    "boolean": "boolean",
    "object": "jsonb",
    "array": "jsonb",
    "json": "jsonb",
    "date": "date",
    "timestamptz": "timestamp with time zone",
    "timestamp": "timestamp",
    "timetz": "time with time zone",
    "time": "time",
}


@dataclass(frozen=True)
class Column:
    """A field of the records, the column it lands in, and what the schema says it holds."""

    field: str
    name: str
    kind: Kind

    @property
    def sql_type(self) -> str:
        """The type as written in CREATE TABLE."""
        return SQL_TYPES[self.kind]


def columns_of(json_schema: Mapping[str, Any]) -> tuple[Column, ...]:
    """One column per top-level property, in schema order."""
    properties = json_schema.get("properties") or {}
    names = column_names(properties)
    return tuple(Column(field, names[field], kind_of(schema)) for field, schema in properties.items())


def key_columns(columns: Sequence[Column], paths: Sequence[Sequence[str]], *, stream: str) -> tuple[Column, ...]:
    """The columns of a declared key; a nested or undeclared field of a key is refused."""
    by_field = {column.field: column for column in columns}
    for path in paths:
        if len(path) != 1:
            raise PermanentError(
                "A primary key inside an object cannot be used; choose a top-level field.",
                stream=stream,
                field=".".join(path),
            )
        if path[0] not in by_field:
            raise PermanentError(
                "The stream's primary key is not in its schema; refresh the connection's schema.",
                stream=stream,
                field=path[0],
            )
    return tuple(by_field[path[0]] for path in paths)


def cursor_column(columns: Sequence[Column], path: Sequence[str]) -> Column | None:
    """The cursor's column, or None where the records do not carry it (then the newest extraction wins)."""
    if len(path) != 1:
        return None
    return next((column for column in columns if column.field == path[0]), None)


def kind_of(schema: Any) -> Kind:
    """The kind of one property's schema; unions, unknown and untyped schemas are JSON."""
    if isinstance(schema, str):
        schema = {"type": schema}
    if not isinstance(schema, Mapping):
        return "json"
    declared = schema.get("type")
    if isinstance(declared, str):
        return _single(declared, schema)
    options: list[Kind]
    if isinstance(declared, Sequence):
        options = [kind_of({**schema, "type": one} if isinstance(one, str) else one) for one in declared
                   if one != "null"]  # fmt: skip
    else:
        alternatives = schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf") or ()
        options = [kind_of(one) for one in alternatives if not _is_null(one)]
    return options[0] if len(set(options)) == 1 else "json"


def _is_null(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") == "null"


def _single(declared: str, schema: Mapping[str, Any]) -> Kind:
    airbyte_type = schema.get("airbyte_type")
    match declared:
        case "string":
            return _string(schema.get("format"), airbyte_type)
        case "number":
            return "integer" if airbyte_type == "integer" else "number"
        case "integer" | "int":
            return "integer"
        case "boolean" | "object" | "array":
            return declared
        case _:
            return "json"


def _string(form: object, airbyte_type: object) -> Kind:
    match form:
        case "date":
            return "date"
        case "date-time":
            return "timestamp" if airbyte_type == "timestamp_without_timezone" else "timestamptz"
        case "time":
            return "time" if airbyte_type == "time_without_timezone" else "timetz"
        case _:
            return "string"
