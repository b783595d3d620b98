"""Which fields of a configuration its connector's specification marks as secret."""

from collections.abc import Mapping
from typing import Any

Marks = Mapping[str, Any]
"""Field → True for a secret, "text" for one if it is a text, else the marks below it; `*` is a field of any name."""

NO_MARKS: Marks = {}
ALL_MARKED: Marks = {"*": True, "sourceType": NO_MARKS}
"""Where a connector can no longer say what is secret."""
TEXTS: Marks = {"*": "text"}
"""Every text, at any depth."""
UNTOLD: Marks = {**TEXTS, "sourceType": NO_MARKS}
"""Where a connector has not said it yet, for it is not installed; numbers stay, which clients read into types."""


def marks_of(specification: Mapping[str, Any]) -> Marks:
    """The marks (`airbyte_secret`) of a JSON schema, those of all its alternatives together."""
    marks: dict[str, Any] = {}
    _collect(specification, marks)
    return marks


def below(marks: Marks, name: str) -> Marks:
    """The marks of what is below a field."""
    found = marks.get(name, marks.get("*"))
    if found == "text":
        return TEXTS
    return found if isinstance(found, Mapping) else NO_MARKS


def is_marked(marks: Marks, name: str) -> bool:
    """Whether the field itself is a secret."""
    return marks.get(name, marks.get("*")) is True


def _collect(schema: Any, marks: dict[str, Any]) -> None:
    if not isinstance(schema, Mapping):
        return
    fields = schema.get("properties")
    for name, field in fields.items() if isinstance(fields, Mapping) else ():
        _add(name, field, marks)
    if isinstance(schema.get("additionalProperties"), Mapping):
        _add("*", schema["additionalProperties"], marks)
    for word in ("oneOf", "anyOf", "allOf"):
        for alternative in schema.get(word) or ():
            _collect(alternative, marks)
    items = schema.get("items")
    for item in items if isinstance(items, list) else [items]:
        _collect(item, marks)


def _add(name: str, schema: Any, marks: dict[str, Any]) -> None:
    if marks.get(name) is True:
        return
    if _is_secret(schema):
        marks[name] = True
        return
    found: dict[str, Any] = marks.get(name, {})
    _collect(schema, found)
    if found:
        marks[name] = found


def _is_secret(schema: Any) -> bool:
    if not isinstance(schema, Mapping):
        return False
    if schema.get("airbyte_secret") is True:
        return True
    items = schema.get("items")
    return isinstance(items, Mapping) and items.get("airbyte_secret") is True
