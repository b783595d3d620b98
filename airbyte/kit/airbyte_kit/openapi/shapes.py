"""What a schema allows, one level at a time: references, `allOf`, `oneOf` and `nullable` taken together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from airbyte_kit.openapi.document import Document, Json

_LONGEST_CHAIN = 50
_ALL_TYPES = ("string", "integer", "number", "boolean", "array", "object")
_FACTS = (
    *("format", "enum", "const", "default", "example", "examples", "minimum", "maximum", "exclusiveMinimum"),
    *(
        "maxLength",
        "minLength",
        "pattern",
        "description",
        "deprecated",
        "writeOnly",
        "minItems",
        "multipleOf",
        "additionalProperties",
    ),
)


@dataclass(frozen=True)
class Shape:
    """A value; its properties and items are schemas still to be looked at."""

    types: frozenset[str] = frozenset()
    """JSON types without `null`, which stands here alone or not at all; none is any."""
    nullable: bool = False
    properties: Mapping[str, Any] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    items: Any = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def format(self) -> str | None:
        """`date-time` and the like."""
        found = self.facts.get("format")
        return found if isinstance(found, str) else None

    @property
    def is_scalar(self) -> bool:
        """Whether it is one text or number, as keys and cursors are."""
        return bool(self.types) and self.types <= {"string", "integer", "number"}


class Shapes:
    """The shapes of one document's schemas; each reference is worked out once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._known: dict[str, Shape] = {}
        self._open: set[str] = set()

    def of(self, schema: Any) -> Shape:
        """The schema's shape; what cannot be told is any value."""
        if not isinstance(schema, Mapping):
            return Shape()
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return self._of_object(schema)
        referred = self._referred(reference)
        beside = {name: value for name, value in schema.items() if name != "$ref"}
        return _both(referred, self._of_object(beside)) if beside else referred

    def _referred(self, reference: str) -> Shape:
        if reference in self._open or len(self._open) > _LONGEST_CHAIN:
            return Shape()
        if reference not in self._known:
            self._open.add(reference)
            try:
                self._known[reference] = self.of(self.document.look_up(reference))
            finally:
                self._open.remove(reference)
        return self._known[reference]

    def _of_object(self, schema: Mapping[str, Any]) -> Shape:
        shape = _own(schema)
        for part in _list(schema.get("allOf")):
            shape = _both(shape, self.of(part))
        for word in ("oneOf", "anyOf"):
            if _list(schema.get(word)):
                shape = _both(shape, _either([self.of(part) for part in _list(schema.get(word))]))
        return shape


def _own(schema: Mapping[str, Any]) -> Shape:
    written = schema.get("type")
    named = [written] if isinstance(written, str) else _list(written)
    properties = schema.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    types = {name for name in named if name in _ALL_TYPES}
    nullable = "null" in named or schema.get("nullable") is True
    if not types:
        types = {"null"} if "null" in named else _implied(schema, properties)
    return Shape(
        types=frozenset(types),
        nullable=nullable,
        properties=properties,
        required=frozenset(name for name in _list(schema.get("required")) if isinstance(name, str)),
        items=schema.get("items"),
        facts={name: schema[name] for name in _FACTS if name in schema},
    )


def _implied(schema: Mapping[str, Any], properties: Mapping[str, Any]) -> set[str]:
    if properties:
        return {"object"}
    if "items" in schema:
        return {"array"}
    values = [*_list(schema.get("enum")), *([schema["const"]] if "const" in schema else [])]
    return {type_of(value) for value in values if value is not None}


def type_of(value: Any) -> str:
    """The JSON type of a value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "array" if isinstance(value, list) else "object" if isinstance(value, Mapping) else "string"


def _both(first: Shape, second: Shape) -> Shape:
    """What holds to both; where they contradict each other, either."""
    if _is_null(first) or _is_null(second):
        return replace(second if _is_null(first) else first, nullable=True)
    common = first.types & second.types
    for one, other in ((first.types, second.types), (second.types, first.types)):
        if "integer" in one and "number" in other and not common & {"integer", "number"}:
            common |= {"integer"}  # every integer is a number
    types = common or first.types | second.types
    return replace(
        first,
        types=frozenset(types),
        nullable=first.nullable or second.nullable,
        properties=_merged([first.properties, second.properties], "allOf"),
        required=first.required | second.required,
        items=first.items if first.items is not None else second.items,
        facts={**first.facts, **second.facts},
    )


def _either(shapes: list[Shape]) -> Shape:
    nullable = any(shape.nullable or _is_null(shape) for shape in shapes)
    kept = [shape for shape in shapes if not _is_null(shape)]
    if not kept:
        return Shape(types=frozenset({"null"}), nullable=True)
    arrays = [shape.items for shape in kept if not shape.types or "array" in shape.types]
    items = [] if None in arrays else _distinct(arrays)
    types = frozenset[str]().union(*(shape.types for shape in kept))
    one = len(kept) == 1
    formats = {shape.format for shape in kept}
    return Shape(
        types=types if all(shape.types for shape in kept) else frozenset(),
        nullable=nullable,
        properties=_merged([shape.properties for shape in kept], "anyOf"),
        required=frozenset.intersection(*(shape.required for shape in kept)),
        items=None if not items else items[0] if len(items) == 1 else {"anyOf": items},
        facts=kept[0].facts if one else {"format": kept[0].format} if len(formats) == 1 and kept[0].format else {},
    )


def _is_null(shape: Shape) -> bool:
    return shape.types == {"null"}


def _merged(parts: Iterable[Mapping[str, Any]], word: str) -> Json:
    found: dict[str, list[Any]] = {}
    for properties in parts:
        for name, schema in properties.items():
            found.setdefault(name, []).append(schema)
    return {
        name: distinct[0] if len(distinct := _distinct(schemas)) == 1 else {word: distinct}
        for name, schemas in found.items()
    }


def _distinct(schemas: Iterable[Any]) -> list[Any]:
    kept: list[Any] = []
    for schema in schemas:
        if not any(schema is each or schema == each for each in kept):
            kept.append(schema)
    return kept


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
