"""What every kind of mapper can do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from airbyte_server.errors import RefusedError

JsonObject = dict[str, Any]
Path = Sequence[str]


@dataclass(frozen=True)
class Shape:
    """What the mappers of a stream change about it: its top-level fields, its key and its cursor."""

    properties: Mapping[str, Any]
    primary_key: Sequence[Path] = ()
    cursor: Path = ()

    def with_field(self, old: str, new: str, schema: Any) -> "Shape":
        """The field `old`, in its place, under another name and schema; key and cursor follow it."""
        if new != old and new in self.properties:
            raise RefusedError(f"field {new!r} is there already; give the mapper another name for it.")
        properties = {new if name == old else name: schema if name == old else item
                      for name, item in self.properties.items()}  # fmt: skip
        key = [[new] if list(path) == [old] else path for path in self.primary_key]
        return replace(self, properties=properties, primary_key=key, cursor=_renamed(self.cursor, old, new))

    def without_field(self, name: str) -> "Shape":
        """Without a field; key and cursor lose it."""
        properties = {other: item for other, item in self.properties.items() if other != name}
        key = [path for path in self.primary_key if list(path) != [name]]
        cursor = () if list(self.cursor) == [name] else self.cursor
        return replace(self, properties=properties, primary_key=key, cursor=cursor)


class Mapper(Protocol):
    """One configured mapper, picklable; it works on top-level fields."""

    @property
    def kind(self) -> str:
        """The API's word for it."""

    @property
    def reads(self) -> Sequence[str]:
        """The fields that must be there."""

    @property
    def makes(self) -> str | None:
        """The field that it adds or gives a new name, if it does."""

    def map_shape(self, shape: Shape) -> Shape:
        """The shape of the mapped stream; all of `reads` are in it. RefusedError carries the end of a sentence."""

    def map_record(self, data: JsonObject) -> JsonObject | None:
        """The mapped record, which may be the same object; None if the record is left out."""


def _renamed(path: Path, old: str, new: str) -> Path:
    return [new] if list(path) == [old] else path
