"""A stream's JSON schema out of the document's: without references, every type nullable, of a bounded size."""

from typing import Any

from airbyte_kit.openapi.document import Json
from airbyte_kit.openapi.shapes import Shape, Shapes

LEVELS = 3
MOST_FIELDS = 1000
_KEPT_FORMATS = ("date-time", "date")
_ANY = ("string", "number", "boolean", "array", "object")


def stream_schema(shapes: Shapes, item: Any) -> Json:
    """The schema of a stream's records; what is deeper than three levels, or too much, is an open object."""
    for levels in range(LEVELS, 0, -1):
        written = _Writer(shapes, MOST_FIELDS)
        schema = written.object(shapes.of(item), levels)
        if not written.is_full:
            break
    return {"type": "object", **schema}


class _Writer:
    def __init__(self, shapes: Shapes, most: int) -> None:
        self._shapes = shapes
        self._left = most

    @property
    def is_full(self) -> bool:
        return self._left <= 0

    def object(self, shape: Shape, levels: int) -> Json:
        properties: Json = {}
        for name, schema in shape.properties.items():
            if self.is_full:
                break
            field = self._shapes.of(schema)
            if field.facts.get("writeOnly") is not True and is_field_name(name):
                self._left -= 1
                properties[name] = self._field(field, levels - 1)
        return {"additionalProperties": True, **({"properties": properties} if properties else {})}

    def _field(self, shape: Shape, levels: int) -> Json:
        types = [name for name in _ANY if name in shape.types or (name == "number" and "integer" in shape.types)]
        if "integer" in shape.types and "number" not in shape.types:
            types[types.index("number")] = "integer"
        written: Json = {"type": ["null", *(types or _ANY)]}
        if types == ["string"] and shape.format in _KEPT_FORMATS:
            written["format"] = shape.format
        if "object" in types:
            written |= self.object(shape, levels) if levels > 0 else {"additionalProperties": True}
        if "array" in written["type"]:
            known = shape.items is not None and levels > 0
            written["items"] = self._field(self._shapes.of(shape.items), levels - 1) if known else {}
        return written


def is_field_name(name: str) -> bool:
    """Whether a manifest can name the field: airbyte-cdk takes names with a dollar for its own."""
    return 0 < len(name) <= 200 and name not in ("$ref", "$parameters", "$options") and name.isprintable()
