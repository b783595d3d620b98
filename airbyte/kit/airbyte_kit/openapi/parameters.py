"""The parameters of an operation, those of its path included."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airbyte_kit.openapi.document import Document, Json
from airbyte_kit.openapi.shapes import Shape, Shapes

_IGNORED_HEADERS = ("accept", "content-type", "authorization")


@dataclass(frozen=True)
class Parameter:
    """One parameter; of an object in brackets, one of its fields, as `created[gte]`."""

    name: str
    location: str
    required: bool
    shape: Shape
    deprecated: bool = False
    example: Any = None
    about: str = ""

    @property
    def default(self) -> Any:
        """What the document says is sent where nothing is said."""
        return self.shape.facts.get("default")

    @property
    def settled(self) -> Any:
        """A value that the document itself offers: the default, the only choice, or the example."""
        choices = self.shape.facts.get("enum")
        offered = [
            self.shape.facts.get("const"),
            self.default,
            choices[0] if isinstance(choices, list) and choices else None,
            self.example,
            self.shape.facts.get("example"),
        ]
        return next((value for value in offered if isinstance(value, str | int | float)), None)

    def number(self, fact: str) -> int | None:
        """A whole number that the schema says, as its maximum."""
        value = self.shape.facts.get(fact)
        return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def parameters_of(shapes: Shapes, path_item: Json, operation: Json) -> list[Parameter]:
    """Each parameter once; the operation's own stand before those of its path."""
    found: dict[tuple[str, str], Parameter] = {}
    for written in [*_written(shapes.document, operation), *_written(shapes.document, path_item)]:
        for parameter in _parameters(shapes, written):
            found.setdefault((parameter.location, parameter.name), parameter)
    return list(found.values())


def _written(document: Document, holder: Json) -> list[Json]:
    listed = holder.get("parameters")
    return [document.resolve(node) for node in listed] if isinstance(listed, list) else []


def _parameters(shapes: Shapes, written: Json) -> Iterator[Parameter]:
    name, location = written.get("name"), written.get("in")
    if not isinstance(name, str) or location not in ("query", "path", "header"):
        return
    if location == "header" and name.lower() in _IGNORED_HEADERS:
        return
    shape = shapes.of(_schema(shapes.document, written))
    common = {
        "location": location,
        "required": written.get("required") is True,
        "deprecated": written.get("deprecated") is True,
        "about": str(written.get("description") or shape.facts.get("description") or "")[:1000],
    }
    if location == "query" and "object" in shape.types and shape.properties:
        for field, schema in shape.properties.items():
            inner = {**common, "required": common["required"] and field in shape.required}
            yield Parameter(name=f"{name}[{field}]", shape=shapes.of(schema), **inner)
        if shape.types == {"object"}:
            return
    yield Parameter(name=name, shape=shape, example=_example(shapes.document, written), **common)


def _schema(document: Document, written: Json) -> Any:
    content = written.get("content")
    if "schema" in written or not isinstance(content, Mapping):
        return written.get("schema")
    return next((document.resolve(media).get("schema") for media in content.values()), None)


def _example(document: Document, written: Json) -> Any:
    examples = written.get("examples")
    first = next(iter(examples.values()), None) if isinstance(examples, Mapping) else None
    return written.get("example", document.resolve(first).get("value"))


def of_query(parameters: Sequence[Parameter]) -> list[Parameter]:
    """Those of the query string."""
    return [each for each in parameters if each.location == "query"]
