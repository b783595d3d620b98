"""From the API's mappers to the ones that run; what cannot run is refused with the reason."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from airbyte_server.errors import RefusedError
from airbyte_server.mappers.field_filtering import FieldFiltering
from airbyte_server.mappers.field_renaming import FieldRenaming
from airbyte_server.mappers.hashing import Hashing
from airbyte_server.mappers.mapper import JsonObject, Mapper
from airbyte_server.mappers.row_filtering import RowFiltering

_KINDS: Mapping[str, Callable[[Mapping[str, Any]], Mapper]] = {
    each.kind: each.of for each in (Hashing, FieldFiltering, FieldRenaming, RowFiltering)
}


def parse_mappers(stream: str, mappers: Sequence[JsonObject]) -> list[Mapper]:
    """The mappers of a stream, in order; RefusedError names the one that cannot run."""
    return [_parsed(stream, number, mapper) for number, mapper in enumerate(mappers, start=1)]


def with_ids(stream: str, mappers: Sequence[JsonObject]) -> list[JsonObject]:
    """The mappers as the API answers them; one without an id gets one that is the same each time it is sent."""
    answered: list[JsonObject] = []
    seen: Counter[str] = Counter()
    for mapper, parsed in zip(mappers, parse_mappers(stream, mappers), strict=True):
        content = repr((stream, parsed))
        made = str(uuid5(NAMESPACE_OID, f"{content}{seen[content]}"))
        seen[content] += 1
        settings = mapper["mapperConfiguration"]
        answered.append({"id": mapper.get("id") or made, "type": mapper["type"], "mapperConfiguration": settings})
    return answered


def named(number: int, stream: str, mapper: str) -> str:
    """How a mapper is called in a sentence."""
    return f"Mapper {number} ({mapper}) of stream {stream!r}"


def _parsed(stream: str, number: int, mapper: JsonObject) -> Mapper:
    kind, settings, name = mapper.get("type"), mapper.get("mapperConfiguration"), mapper.get("id")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise RefusedError(f"{named(number, stream, str(kind))} does not run here; use {', '.join(_KINDS)}.")
    if name is not None and not _is_uuid(name):
        raise RefusedError(f"{named(number, stream, kind)} is refused: its id is no UUID; leave it out.")
    if not isinstance(settings, Mapping):
        raise RefusedError(f"{named(number, stream, kind)} is refused: it needs a mapperConfiguration.")
    try:
        return _KINDS[kind](settings)
    except RefusedError as error:
        raise RefusedError(f"{named(number, stream, kind)} is refused: {error.sentence}") from None


def _is_uuid(text: object) -> bool:
    try:
        UUID(str(text))
    except ValueError:
        return False
    return isinstance(text, str)
