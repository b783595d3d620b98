"""The records of one stream through its mappers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airbyte_server.mappers.mapper import JsonObject, Mapper


@dataclass(frozen=True)
class RecordMapper:
    """Applies mappers in order; picklable, for it travels to the job's process."""

    mappers: tuple[Mapper, ...]
    unplanned: tuple[str, ...]
    """Names that only the mappers give: what a record has there before them was never planned."""

    @classmethod
    def of(cls, mappers: Sequence[Mapper], properties: Mapping[str, Any]) -> "RecordMapper | None":
        """For a stream of these fields; None without mappers."""
        made = {mapper.makes for mapper in mappers if mapper.makes is not None}
        return cls(tuple(mappers), tuple(sorted(made - properties.keys()))) if mappers else None

    def __call__(self, data: JsonObject) -> JsonObject | None:
        """The mapped record, which may be the same object; None if it is left out."""
        for name in self.unplanned:
            data.pop(name, None)
        mapped: JsonObject | None = data
        for mapper in self.mappers:
            mapped = mapper.map_record(data)
            if mapped is None:
                return None
        return mapped
