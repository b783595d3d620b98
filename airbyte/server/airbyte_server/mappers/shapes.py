"""A stream's shape through its mappers: strict when a connection is configured, lenient when a job is planned."""

from collections.abc import Sequence

from airbyte_server.errors import RefusedError
from airbyte_server.mappers.hashing import Hashing
from airbyte_server.mappers.mapper import Mapper, Shape
from airbyte_server.mappers.parsing import named
from airbyte_server.mappers.row_filtering import RowFiltering


def map_shape(stream: str, shape: Shape, mappers: Sequence[Mapper]) -> Shape:
    """The shape that arrives; a mapper of a field that the source has lost has nothing to do.

    Refused, because it would let through what was to be hidden or empty the table: two fields under one name, and a
    row filter on a field that is gone.
    """
    for number, mapper in enumerate(mappers, start=1):
        missing = [field for field in mapper.reads if field not in shape.properties]
        if not missing:
            shape = _mapped(stream, number, mapper, shape)
        elif isinstance(mapper, RowFiltering):
            raise _missing(stream, number, mapper, missing[0])
    return shape


def check_shape(stream: str, shape: Shape, mappers: Sequence[Mapper], *, is_keyed: bool) -> Shape:
    """As `map_shape`, and refuses a mapper of a field that is not there, or of a key or cursor that the mode needs."""
    before = shape
    for number, mapper in enumerate(mappers, start=1):
        missing = [field for field in mapper.reads if field not in shape.properties]
        if missing:
            raise _missing(stream, number, mapper, missing[0])
        if is_keyed and isinstance(mapper, Hashing) and list(shape.cursor) == [mapper.field]:
            raise RefusedError(
                f"{named(number, stream, mapper.kind)} is refused: {mapper.field!r} is the cursor, by which the newest "
                "row of a key is known; choose another field or a mode that keeps every row."
            )
        shape = _mapped(stream, number, mapper, shape)
        if is_keyed and (len(shape.primary_key) < len(before.primary_key) or (before.cursor and not shape.cursor)):
            raise RefusedError(
                f"{named(number, stream, mapper.kind)} is refused: it takes away a key or the cursor, which the "
                "sync mode needs; choose another field or a mode that keeps every row."
            )
    return shape


def _mapped(stream: str, number: int, mapper: Mapper, shape: Shape) -> Shape:
    try:
        return mapper.map_shape(shape)
    except RefusedError as error:
        raise RefusedError(f"{named(number, stream, mapper.kind)} is refused: {error.sentence}") from None


def _missing(stream: str, number: int, mapper: Mapper, field: str) -> RefusedError:
    return RefusedError(
        f"{named(number, stream, mapper.kind)} is refused: there is no top-level field {field!r} at that point; "
        "name one of the stream's selected fields."
    )
