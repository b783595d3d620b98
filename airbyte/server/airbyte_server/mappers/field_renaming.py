"""field-renaming: a field keeps its values and its type under another name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from airbyte_server.mappers.mapper import JsonObject, Shape
from airbyte_server.mappers.settings import text_setting


@dataclass(frozen=True)
class FieldRenaming:
    """`old` is called `new`."""

    kind: ClassVar[str] = "field-renaming"
    old: str
    new: str

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "FieldRenaming":
        """From `mapperConfiguration`."""
        return cls(text_setting(settings, "originalFieldName"), text_setting(settings, "newFieldName"))

    @property
    def reads(self) -> Sequence[str]:
        """The field by its first name."""
        return (self.old,)

    @property
    def makes(self) -> str:
        """Its new name."""
        return self.new

    def map_shape(self, shape: Shape) -> Shape:
        """Key and cursor follow."""
        return shape.with_field(self.old, self.new, shape.properties[self.old])

    def map_record(self, data: JsonObject) -> JsonObject:
        """The value moves."""
        if self.old in data:
            data[self.new] = data.pop(self.old)
        return data
