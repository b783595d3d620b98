"""A JSON schema from records, for files that no catalog describes."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_BIGINT = range(-(2**63), 2**63)
_DEPTH = 6
_MOST_PROPERTIES = 500
_MOST_ITEMS = 50

_DATE = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])", re.ASCII)
_MOMENT = re.compile(
    _DATE.pattern + r"[T ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?P<zone>Z|[+-]\d{2}:?\d{2})?", re.ASCII
)
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,17})", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})\.\d{1,15}", re.ASCII)

_DATE_TIME = {"type": "string", "format": "date-time"}
_TEXTS: Mapping[str, Mapping[str, Any]] = {
    "date": {"type": "string", "format": "date"},
    "moment": {**_DATE_TIME, "airbyte_type": "timestamp_with_timezone"},
    "local": {**_DATE_TIME, "airbyte_type": "timestamp_without_timezone"},
}


@dataclass
class Shape:
    """What has been seen of one value: its types, what its texts look like, its parts."""

    types: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    properties: dict[str, "Shape"] = field(default_factory=dict)
    items: "Shape | None" = None
    is_open: bool = False
    """Too many or too deep properties to name."""

    def see(self, value: Any, depth: int = 0) -> None:
        """Take one value in."""
        if isinstance(value, dict):
            self.types.add("object")
            self._see_object(value, depth)
        elif isinstance(value, list):
            self.types.add("array")
            self.items = self.items or Shape()
            for item in value[:_MOST_ITEMS]:
                self.items.see(item, depth + 1)
        elif isinstance(value, str):
            self.types.add("string")
            if len(self.texts) < 2:
                self.texts.add(_text_kind(value))
        elif isinstance(value, bool):
            self.types.add("boolean")
        elif isinstance(value, int):
            self.types.add("integer" if value in _BIGINT else "number")
        elif value is not None:
            self.types.add("number")

    def schema(self) -> dict[str, Any]:
        """The JSON schema that every value seen fits; null is always allowed."""
        types = self.types - {"integer"} if {"integer", "number"} <= self.types else self.types
        if not types:
            return {"type": ["null", "string"]}
        if types == {"string"} and len(self.texts) == 1 and (text := _TEXTS.get(next(iter(self.texts)))):
            return {**text, "type": ["null", "string"]}
        schema: dict[str, Any] = {"type": ["null", *sorted(types)]}
        if "object" in types and not self.is_open:
            schema["properties"] = {name: shape.schema() for name, shape in self.properties.items()}
        if "array" in types and self.items is not None and self.items.types:
            schema["items"] = self.items.schema()
        return schema

    def _see_object(self, value: Mapping[str, Any], depth: int) -> None:
        # The top level names every field: each is a column.
        if depth >= _DEPTH or (depth and len(self.properties) > _MOST_PROPERTIES):
            self.is_open = True
            self.properties.clear()
        if self.is_open:
            return
        for name, item in value.items():
            self.properties.setdefault(name, Shape()).see(item, depth + 1)


def infer_schema(records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The schema of JSON records; without any it has no properties."""
    shape = Shape(types={"object"})
    for record in records:
        shape.see(record)
    return {**shape.schema(), "type": "object"}


def infer_text_schema(records: Iterable[Mapping[str, str | None]]) -> dict[str, Any]:
    """The schema of records whose values are all text, as CSV's; a column is a number only if every value is."""
    kinds: dict[str, set[str]] = {}
    for record in records:
        for name, value in record.items():
            seen = kinds.setdefault(name, set())
            if value is not None and "text" not in seen:
                seen.add(_written_kind(value))
    return {"type": "object", "properties": {name: _written_schema(seen) for name, seen in kinds.items()}}


def _written_kind(value: str) -> str:
    if _INTEGER.fullmatch(value):
        return "integer"
    if _NUMBER.fullmatch(value):
        return "number"
    if value in {"true", "false", "True", "False", "TRUE", "FALSE"}:
        return "boolean"
    return _text_kind(value)


def _written_schema(kinds: set[str]) -> dict[str, Any]:
    if kinds == {"integer", "number"}:
        kinds = {"number"}
    kind = next(iter(kinds)) if len(kinds) == 1 else "text"
    if kind in {"integer", "number", "boolean"}:
        return {"type": ["null", kind]}
    return {**_TEXTS.get(kind, {}), "type": ["null", "string"]}


def _text_kind(value: str) -> str:
    if _DATE.fullmatch(value):
        return "date"
    match = _MOMENT.fullmatch(value)
    if match is None:
        return "text"
    return "moment" if match["zone"] else "local"
