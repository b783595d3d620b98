"""Values that a schema allows, the same each time."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airbyte_kit.openapi import words
from airbyte_kit.openapi.shapes import Shape, Shapes, type_of

_DEEPEST = 6
_OPTIONAL_DEPTH = 3
_MOST_VALUES = 500
_LONGEST_CHAIN = 20
_FIRST = datetime(2020, 1, 1, tzinfo=UTC)
_SPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


def moment(number: int) -> datetime:
    """A moment in the past, later for each of a few hundred numbers."""
    return _FIRST + timedelta(hours=25) * (number % 500)


def written_moment(number: int, formats: tuple[str, ...]) -> Any:
    """The moment as a field of these formats has it."""
    when = moment(number)
    if formats[0] in ("%s", "%ms"):
        return int(when.timestamp()) * (1000 if formats[0] == "%ms" else 1)
    return when.strftime(formats[0])


class Values:
    """Makes values; `number` says which of a list's records they are for."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._left = 0

    def of(self, schema: Any, number: int, name: str = "value", depth: int = 0) -> Any:
        """A value of the schema; of several alternatives each gets its turn."""
        self._left = self._left - 1 if depth else _MOST_VALUES
        shape = self._shapes.of(self._one(schema, number))
        whole = self._shapes.of(schema).types
        # Of alternatives that contradict what stands beside them, that holds which is certain.
        allowed = (shape.types & whole) or whole or shape.types
        types = [each for each in ("object", "array", "string", "integer", "number", "boolean") if each in allowed]
        if not types:
            return None if shape.nullable else f"{name} {number}"
        offered = shape.facts.get("enum")
        offered = [shape.facts["const"]] if "const" in shape.facts else offered if isinstance(offered, list) else []
        choices = [each for each in offered if {type_of(each), "number" * (type_of(each) == "integer")} & allowed]
        if choices:
            return choices[number % len(choices)]
        kind = types[number % len(types)]
        if kind == "object":
            return self._object(shape, number, depth)
        if kind == "array":
            return self._array(shape, number, name, depth)
        return scalar(shape, kind, number, name)

    def _one(self, schema: Any, number: int) -> Any:
        """The schema with one alternative chosen wherever it has several."""
        for _ in range(_LONGEST_CHAIN):
            if isinstance(schema, Mapping) and set(schema) == {"$ref"}:
                schema = self._shapes.document.look_up(schema["$ref"])
                continue
            if not isinstance(schema, Mapping):
                return schema
            word = next(
                (each for each in ("oneOf", "anyOf") if isinstance(schema.get(each), list) and schema[each]), None
            )
            if word is None:
                return schema
            real = [each for each in schema[word] if not _is_null(each)] or [{}]
            rest = {key: value for key, value in schema.items() if key != word}
            chosen = real[number % len(real)]
            schema = {"allOf": [rest, chosen]} if rest else chosen
        return schema

    def _object(self, shape: Shape, number: int, depth: int) -> dict[str, Any]:
        written = {}
        for place, (name, schema) in enumerate(shape.properties.items()):
            is_required = name in shape.required
            if depth >= (_DEEPEST if is_required else _OPTIONAL_DEPTH) or self._left <= 0:
                continue
            field = self._shapes.of(schema)
            if field.facts.get("writeOnly") is True:
                continue
            if not is_required and (number + place) % 5 == 4:
                continue
            is_null = field.nullable and (number + place) % 7 == 3
            written[name] = None if is_null else self.of(schema, number, name, depth + 1)
        return written

    def _array(self, shape: Shape, number: int, name: str, depth: int) -> list[Any]:
        least = shape.facts.get("minItems")
        if depth >= _DEEPEST or self._left <= 0:
            return []
        count = max(1 + number % 2, least if isinstance(least, int) else 0)
        return [self.of(shape.items, number + each, name, depth + 1) for each in range(min(count, 5))]


def scalar(shape: Shape, kind: str, number: int, name: str) -> Any:
    """A text, a number or a truth."""
    if kind == "boolean":
        return number % 2 == 0
    if kind == "string":
        return _text(shape, number, name)
    low, high = shape.facts.get("minimum"), shape.facts.get("maximum")
    value: int | float = number + (0.5 if kind == "number" else 0)
    if _is_moment(shape, name):
        value = int(moment(number).timestamp())
    if isinstance(low, int | float) and value < low:
        value = low
    return high if isinstance(high, int | float) and value > high else value


def _text(shape: Shape, number: int, name: str) -> str:
    match shape.format:
        case "date-time":
            return moment(number).strftime("%Y-%m-%dT%H:%M:%SZ")
        case "date":
            return moment(number).strftime("%Y-%m-%d")
        case "uuid":
            return str(uuid.uuid5(_SPACE, f"{name} {number}"))
        case "email":
            return f"person{number}@example.com"
        case "uri" | "url" | "uri-reference":
            return f"https://example.com/{words.snake(name)}/{number}"
    text = f"{name} {number}"
    most, least = shape.facts.get("maxLength"), shape.facts.get("minLength")
    if isinstance(least, int) and len(text) < min(least, 1000):
        text = text.rjust(min(least, 1000), "x")
    return text[-most:] if isinstance(most, int) and most > 0 else text


def unique(shape: Shape, number: int, name: str) -> Any:
    """A value that no other record of the list has there."""
    if "integer" in shape.types and "string" not in shape.types:
        return number
    if shape.format == "uuid":
        return _text(shape, number, name)
    most = shape.facts.get("maxLength")
    text = f"{words.snake(name)[:20]}-{number}"
    return text[-most:] if isinstance(most, int) and most > 0 else text


def _is_moment(shape: Shape, name: str) -> bool:
    return (shape.format or "").startswith("unix") or words.snake(name) in (*words.UPDATED, *words.CREATED)


def _is_null(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") in ("null", ["null"])
