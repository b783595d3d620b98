"""The operations that list: GETs whose answer is an array of objects, or holds one."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from airbyte_kit.errors import KitError
from airbyte_kit.openapi import words
from airbyte_kit.openapi.document import Json, segments_of
from airbyte_kit.openapi.parameters import Parameter, parameters_of
from airbyte_kit.openapi.schemas import is_field_name
from airbyte_kit.openapi.shapes import Shape, Shapes

_DEEPEST_ENVELOPE = 3
_SUCCESSES = ("200", "2XX", "2xx", "206", "default")


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One list of the API."""

    path: str
    operation: Json = field(repr=False)
    parameters: tuple[Parameter, ...] = field(repr=False)
    records: tuple[str, ...]
    """Where in the answer the records are; empty where the answer is their array."""
    item: Any = field(repr=False)
    """The schema of a record."""
    answer: Shape = field(repr=False)
    headers: Mapping[str, Any] = field(repr=False)
    guessed: bool = False
    """Whether which array holds the records is a guess."""

    @property
    def segments(self) -> tuple[str, ...]:
        """The path's parts; a parameter's is `{}`."""
        return segments_of(self.path)

    @property
    def placeholders(self) -> list[str]:
        """The names of the path's parameters in their order."""
        return re.findall(r"\{([^{}]*)\}", self.path)

    @property
    def noun(self) -> str:
        """The last part of the path that is no parameter, in snake case."""
        return next((words.snake(part) for part in reversed(self.segments) if part != "{}"), "")


@dataclass
class Found:
    """The lists of a document, and why others that may be lists are none."""

    listings: list[Listing] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    """A clause for each path."""


def find_listings(shapes: Shapes) -> Found:
    """Every list of the document, in its order."""
    found = Found()
    for path, written in shapes.document.paths():
        # A resource by its key, and a path that no template should see, are no lists.
        if segments_of(path)[-1] == "{}" or not _is_sound(path):
            continue
        try:
            item = shapes.document.resolve(written)
            operation = item.get("get")
            listing = _listing(shapes, path, item, dict(operation)) if isinstance(operation, Mapping) else None
        except (KitError, _NoListError) as error:
            found.problems[path] = str(error).rstrip(".")
        else:
            found.listings += [listing] if listing else []
    return found


class _NoListError(Exception):
    """Why an answer with records in it is no list."""


def _is_sound(path: str) -> bool:
    literal = re.sub(r"\{[^{}]*\}", "", path)
    return words.is_plain(path) and not {"..", "."} & set(path.split("/")) and not set("{}?#\\") & set(literal)


def _listing(shapes: Shapes, path: str, item: Json, operation: Json) -> Listing | None:
    response = _success(shapes, operation)
    answer = shapes.of(_json_schema(shapes, response))
    parameters = tuple(parameters_of(shapes, item, operation))
    nouns = {words.squeezed(part) for part in segments_of(path)[-1:]}
    found = _records(shapes, answer, nouns, paged=_is_paged(parameters))
    if found is None:
        return None
    place, schema, guessed = found
    if not any(is_field_name(name) for name in shapes.of(schema).properties):
        raise _NoListError("the document names no field of its records")
    headers = response.get("headers")
    return Listing(
        path=path,
        operation=operation,
        parameters=parameters,
        records=place,
        item=schema,
        answer=answer,
        headers=headers if isinstance(headers, Mapping) else {},
        guessed=guessed,
    )


def _success(shapes: Shapes, operation: Json) -> Json:
    responses = operation.get("responses")
    if not isinstance(responses, Mapping):
        return {}
    return next((shapes.document.resolve(responses[code]) for code in _SUCCESSES if code in responses), {})


def _json_schema(shapes: Shapes, response: Json) -> Any:
    content = response.get("content")
    for kind, media in content.items() if isinstance(content, Mapping) else ():
        if "json" in kind.lower() and "stream" not in kind.lower() and "ndjson" not in kind.lower():
            return shapes.document.resolve(media).get("schema")
    return None


def _is_paged(parameters: tuple[Parameter, ...]) -> bool:
    paging = words.PAGES | words.OFFSETS | words.CURSORS | words.SIZES
    return any(each.location == "query" and words.squeezed(each.name) in paging for each in parameters)


def _records(
    shapes: Shapes, answer: Shape, nouns: set[str], *, paged: bool
) -> tuple[tuple[str, ...], Any, bool] | None:
    """Where the records are, their schema, and whether that is a guess."""
    if "array" in answer.types and _are_objects(shapes, answer):
        return (), answer.items, len(answer.types) > 1
    arrays = list(_arrays(shapes, answer, ()))
    if not arrays:
        values = shapes.of(answer.facts.get("additionalProperties"))
        if values.types == {"object"} and not answer.properties:
            raise _NoListError("it answers with records by name, which is no list")
        return None
    for fitting_names in (nouns, frozenset(words.LISTS)):
        fitting = [array for array in arrays if words.squeezed(array[0][-1]) in fitting_names]
        if fitting:
            place, schema = min(fitting, key=lambda each: len(each[0]))
            return place, schema, len(fitting) > 1
    if len(arrays) == 1 and (paged or len(answer.properties) <= 2):
        return *arrays[0], not paged
    if len(arrays) > 1 or paged:
        raise _NoListError(f"its answer holds several lists ({', '.join('.'.join(place) for place, _ in arrays[:5])})")
    return None


def _arrays(shapes: Shapes, shape: Shape, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, schema in shape.properties.items():
        inner = shapes.of(schema)
        if not words.is_plain(name) or "*" in name:
            continue
        if "array" in inner.types and _are_objects(shapes, inner):
            yield (*place, name), inner.items
        elif inner.properties and len(place) + 1 < _DEEPEST_ENVELOPE and name.lower() in words.ENVELOPES:
            yield from _arrays(shapes, inner, (*place, name))


def _are_objects(shapes: Shapes, array: Shape) -> bool:
    item = shapes.of(array.items)
    return item.types == {"object"} or ("object" in item.types and bool(item.properties))
