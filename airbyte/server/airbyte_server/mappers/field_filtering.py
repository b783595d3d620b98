"""field-filtering: a field does not arrive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from airbyte_server.mappers.mapper import JsonObject, Shape
from airbyte_server.mappers.settings import text_setting


@dataclass(frozen=True)
class FieldFiltering:
    """`field` is left out."""

    kind: ClassVar[str] = "field-filtering"
    makes: ClassVar[None] = None
    field: str

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "FieldFiltering":
        """From `mapperConfiguration`."""
        return cls(text_setting(settings, "targetField"))

    @property
    def reads(self) -> Sequence[str]:
        """The field that goes."""
        return (self.field,)

    def map_shape(self, shape: Shape) -> Shape:
        """One column less."""
        return shape.without_field(self.field)

    def map_record(self, data: JsonObject) -> JsonObject:
        """The value goes."""
        data.pop(self.field, None)
        return data
