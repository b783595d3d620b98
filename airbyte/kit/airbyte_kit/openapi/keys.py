"""What tells one record from another, and which field of a parent its children's paths ask for."""

from airbyte_kit.openapi import words
from airbyte_kit.openapi.listings import Listing
from airbyte_kit.openapi.schemas import is_field_name
from airbyte_kit.openapi.shapes import Shapes

_USUAL = ("id", "uuid", "guid", "gid", "sid", "key", "_id", "identifier")


def key_of(shapes: Shapes, listing: Listing) -> str | None:
    """The field that is the list's primary key; None where no field looks like one."""
    scalars = _scalars(shapes, listing)
    by_name = {words.snake(name): name for name in reversed(scalars)}
    noun = words.singular(listing.noun)
    asked = [
        field for name in shapes.document.below.get(listing.segments, []) if (field := _asked(name, noun, scalars))
    ]
    for name in ("id", *(words.snake(field) for field in asked), *_USUAL, f"{noun}_id", f"{noun}_key", f"{noun}_uuid"):
        if name in by_name:
            return by_name[name]
    return None


def link_of(shapes: Shapes, parent: Listing, placeholder: str) -> tuple[str, bool] | None:
    """The parent's field that a path parameter asks for, and whether that is a guess."""
    scalars = _scalars(shapes, parent)
    asked = _asked(placeholder, words.singular(parent.noun), scalars)
    if asked:
        return asked, False
    key = key_of(shapes, parent)
    return (key, True) if key else None


def same_field(shapes: Shapes, listing: Listing, placeholder: str) -> str | None:
    """The field of a child's records that holds what its path was asked with."""
    name = words.snake(placeholder)
    return next((field for field in _scalars(shapes, listing) if words.snake(field) == name and "_" in name), None)


def _asked(placeholder: str, noun: str, fields: list[str]) -> str | None:
    """The field that a parameter of this name means: itself, or without the noun (`project_id` is a project's `id`)."""
    name = words.snake(placeholder)
    wanted = [name, name.removeprefix(f"{noun}_"), name.split("_")[-1] if "_" in name else name]
    if name.endswith("name"):
        wanted += ["login", "name", "handle"]
    return next((field for each in dict.fromkeys(wanted) for field in fields if words.snake(field) == each), None)


def _scalars(shapes: Shapes, listing: Listing) -> list[str]:
    properties = shapes.of(listing.item).properties
    return [
        name
        for name, schema in properties.items()
        if is_field_name(name)
        and words.is_plain(name)
        and (shape := shapes.of(schema)).is_scalar
        and "number" not in shape.types
    ]
