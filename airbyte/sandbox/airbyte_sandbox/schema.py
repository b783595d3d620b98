"""A few words to declare streams with, and the catalog file made from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]
Schema = dict[str, Any]

text: Schema = {"type": ["null", "string"]}
integer: Schema = {"type": ["null", "integer"]}
number: Schema = {"type": ["null", "number"]}
boolean: Schema = {"type": ["null", "boolean"]}
moment: Schema = {"type": ["null", "string"], "format": "date-time"}
anything: Schema = {"type": ["null", "object"], "properties": {}}


def fields(names: str, kind: Schema) -> dict[str, Schema]:
    """Several fields of one kind."""
    return dict.fromkeys(names.split(), kind)


def record(properties: Mapping[str, Schema]) -> Schema:
    """An object with these fields."""
    return {"type": ["null", "object"], "properties": dict(properties)}


def listing(items: Schema) -> Schema:
    """An array of such items."""
    return {"type": ["null", "array"], "items": items}


@dataclass(frozen=True)
class Stream:
    """One stream: its fields, its key, and its cursor if it can be read incrementally."""

    name: str
    properties: Mapping[str, Schema]
    key: str = "id"
    cursor: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The stream as an Airbyte catalog holds it."""
        found: dict[str, Any] = {
            "name": self.name,
            "json_schema": record(self.properties),
            "supported_sync_modes": ["full_refresh", "incremental"] if self.cursor else ["full_refresh"],
            "source_defined_primary_key": [[self.key]],
        }
        if self.cursor:
            found |= {"default_cursor_field": [self.cursor], "source_defined_cursor": True}
        return found


def catalog(streams: Sequence[Stream]) -> dict[str, Any]:
    """The catalog file of a tool."""
    return {"streams": [stream.as_json() for stream in streams]}
