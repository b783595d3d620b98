"""Declared types: a JSON schema read as the types of the raw table."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from analysis.profiling.paths import ITEM, MAXIMUM_DEPTH
from analysis.profiling.profile import Path

_NOT_A_WORD = re.compile(r"[^0-9A-Za-z_]")


def declared_columns(json_schema: Mapping[str, Any], present: Iterable[str] = ()) -> dict[Path, Mapping[str, Any]]:
    """Every declared column's schema by path; a raw column found under its normalised name keeps its declaration."""
    columns: dict[Path, Mapping[str, Any]] = {}
    held = set(present)
    for name, schema in _properties(json_schema):
        column = _NOT_A_WORD.sub("_", name)
        _walk((column if name not in held and column in held else name,), schema, columns)
    return columns


def declared_type(schema: Mapping[str, Any]) -> str:
    """The type that the raw table gives a property; a union of several is `unknown`, as it is kept as JSON."""
    kinds = _kinds(schema)
    if kinds == {"integer", "number"}:
        return "number"
    if len(kinds) != 1:
        return "unknown"
    kind = next(iter(kinds))
    if kind == "number" and schema.get("airbyte_type") in ("integer", "big_integer"):
        return "integer"
    return _string_type(schema) if kind == "string" else kind


def _string_type(schema: Mapping[str, Any]) -> str:
    form, refined = schema.get("format"), schema.get("airbyte_type")
    if form == "date-time":
        return "timestamp" if refined == "timestamp_without_timezone" else "timestamptz"
    if form in ("date", "time"):
        return str(form)
    return "integer" if refined == "big_integer" else "number" if refined == "big_number" else "string"


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    declared = schema.get("type")
    listed = declared if isinstance(declared, list) else [declared] if declared else []
    kinds = {kind for kind in listed if isinstance(kind, str)}
    for option in _options(schema):
        kinds |= _kinds(option)
    if not kinds and isinstance(schema.get("properties"), Mapping):
        kinds = {"object"}
    return kinds - {"null"}


def _options(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = []
    for word in ("anyOf", "oneOf"):
        options = schema.get(word)
        found += [option for option in options if isinstance(option, Mapping)] if isinstance(options, list) else []
    return found


def _properties(schema: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    found: list[tuple[str, Mapping[str, Any]]] = []
    for part in (schema, *_options(schema)):
        properties = part.get("properties")
        if isinstance(properties, Mapping):
            found += [(str(name), inner if isinstance(inner, Mapping) else {}) for name, inner in properties.items()]
    return found


def _walk(path: Path, schema: Mapping[str, Any], columns: dict[Path, Mapping[str, Any]]) -> None:
    columns.setdefault(path, schema)
    if len(path) >= MAXIMUM_DEPTH:
        return
    for name, inner in _properties(schema):
        _walk((*path, name), inner, columns)
    items = schema.get("items")
    if isinstance(items, Mapping):
        _walk((*path, ITEM), items, columns)
