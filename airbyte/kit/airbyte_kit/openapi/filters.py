"""Incremental reads: a parameter that asks for what changed since a moment, and the field that it is compared with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from airbyte_kit.openapi import words
from airbyte_kit.openapi.listings import Listing
from airbyte_kit.openapi.parameters import Parameter, of_query
from airbyte_kit.openapi.schemas import is_field_name
from airbyte_kit.openapi.shapes import Shape, Shapes

_MOMENT = re.compile(r"iso.?8601|rfc.?3339|date-time|datetime|timestamp|\bdates?\b|YYYY", re.IGNORECASE)
_SECONDS = re.compile(r"unix|epoch|timestamp|seconds", re.IGNORECASE)
_MILLISECONDS = re.compile(r"millisecond|\bms\b", re.IGNORECASE)
_ISO = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z")


@dataclass(frozen=True)
class Filter:
    """Records at or after a moment."""

    parameter: str
    field: str
    written: str
    """The format of the parameter's moment, as airbyte-cdk writes formats."""
    read: tuple[str, ...]
    """The formats of the field."""
    is_exclusive: bool
    is_guess: bool
    """Whether the field is not the one that the parameter's name says."""


def filter_of(shapes: Shapes, listing: Listing) -> Filter | None:
    """The filter to read the list by; None where each sync must read it whole."""
    return min(filters_of(shapes, listing), key=_worth, default=None)


def filters_of(shapes: Shapes, listing: Listing) -> list[Filter]:
    """Every lower bound that a field of the records can be compared with."""
    fields = {
        words.snake(name): (name, shape)
        for name, schema in shapes.of(listing.item).properties.items()
        if is_field_name(name) and words.is_plain(name) and (shape := shapes.of(schema)).is_scalar
    }
    return [each for parameter in of_query(listing.parameters) for each in _filters(parameter, fields)]


def _filters(parameter: Parameter, fields: dict[str, tuple[str, Shape]]) -> Iterator[Filter]:
    bound, said = _bound(parameter.name)
    if bound is None or not words.is_plain(parameter.name) or parameter.deprecated:
        return
    for name in _candidates(said):
        if name not in fields:
            continue
        field, shape = fields[name]
        read = _field_formats(shape)
        written = _parameter_format(parameter, read, is_named=bool(said), is_clear=bool(said) or bound == "since")
        if written and read:
            exclusive = bound in words.EXCLUSIVE_BOUNDS
            yield Filter(parameter.name, field, written, read, exclusive, is_guess=name != said)
            return


def _bound(parameter: str) -> tuple[str | None, str]:
    """The word that makes it a lower bound, and what is left of the name: `updated_at[gte]` is gte and updated_at."""
    parts = [part for part in words.snake(parameter).split("_") if part]
    for at in (-1, 0):
        if parts and parts[at] in words.LOWER_BOUNDS:
            bound = parts.pop(at)
            return bound, "_".join(parts)
    return None, ""


def _candidates(said: str) -> tuple[str, ...]:
    if said in ("", "date", "time", "at", "datetime", "timestamp"):
        return (*words.UPDATED, *words.CREATED)
    if said in words.UPDATED or said.split("_")[0] in ("updated", "modified", "update", "last"):
        return (said, *words.UPDATED)
    if said in words.CREATED or said.split("_")[0] in ("created", "creation"):
        return (said, *words.CREATED)
    return ()


def _field_formats(shape: Shape) -> tuple[str, ...]:
    if shape.types == {"string"}:
        return ("%Y-%m-%d",) if shape.format == "date" else _ISO if shape.format in (None, "date-time") else ()
    is_fine = _MILLISECONDS.search(str(shape.facts.get("description") or ""))
    return ("%ms",) if is_fine else ("%s",) if shape.types == {"integer"} else ()


def _parameter_format(parameter: Parameter, field: tuple[str, ...], *, is_named: bool, is_clear: bool) -> str | None:
    shape, about = parameter.shape, f"{parameter.about} {parameter.shape.facts.get('example') or ''}"
    if shape.types and shape.types <= {"integer", "number"}:
        # A bare number may be a record's id as well.
        counted = is_named and field[:1] in (("%s",), ("%ms",))
        if not (counted or _SECONDS.search(about) or (shape.format or "").startswith("unix")):
            return None
        return "%ms" if _MILLISECONDS.search(about) or field == ("%ms",) else "%s"
    if "string" not in shape.types:
        return None
    if shape.format == "date":
        return "%Y-%m-%d"
    if shape.format == "date-time" or _MOMENT.search(about) or is_clear:
        return "%Y-%m-%dT%H:%M:%SZ" if shape.format in (None, "date-time") else None
    return None


def _worth(found: Filter) -> tuple[bool, bool, bool]:
    """What was changed before what was created, what is certain before guesses, what includes the moment first."""
    return words.snake(found.field) not in words.UPDATED, found.is_guess, found.is_exclusive
