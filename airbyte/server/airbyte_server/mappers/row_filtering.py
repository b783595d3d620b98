"""row-filtering: only records that meet a condition arrive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from airbyte_server.errors import RefusedError
from airbyte_server.mappers.mapper import JsonObject, Shape
from airbyte_server.mappers.settings import text_setting
from airbyte_server.mappers.texts import text_of

_DEEPEST = 20


@dataclass(frozen=True)
class Equal:
    """The field is there, and its text is this one; null reads `null`, as on Airbyte."""

    field: str
    text: str

    def fields(self) -> Sequence[str]:
        """The field that it looks at."""
        return (self.field,)

    def holds(self, data: JsonObject) -> bool:
        """Whether the record meets it."""
        if self.field not in data:
            return False
        try:
            return text_of(data[self.field]) == self.text
        except (ValueError, RecursionError):
            return False


@dataclass(frozen=True)
class NoneOf:
    """None of the conditions holds."""

    conditions: "tuple[Condition, ...]"

    def fields(self) -> Sequence[str]:
        """The fields that they look at."""
        return [field for condition in self.conditions for field in condition.fields()]

    def holds(self, data: JsonObject) -> bool:
        """Whether the record meets it."""
        return not any(condition.holds(data) for condition in self.conditions)


Condition = Equal | NoneOf


@dataclass(frozen=True)
class RowFiltering:
    """Records that do not meet the condition are left out."""

    kind: ClassVar[str] = "row-filtering"
    makes: ClassVar[None] = None
    condition: Condition

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "RowFiltering":
        """From `mapperConfiguration`."""
        return cls(_condition(settings.get("conditions")))

    @property
    def reads(self) -> Sequence[str]:
        """The fields of the condition."""
        return self.condition.fields()

    def map_shape(self, shape: Shape) -> Shape:
        """As it was."""
        return shape

    def map_record(self, data: JsonObject) -> JsonObject | None:
        """The record, or None."""
        return data if self.condition.holds(data) else None


def _condition(settings: Any, depth: int = 0) -> Condition:
    kind = settings.get("type") if isinstance(settings, Mapping) else None
    if kind == "EQUAL":
        text = text_setting(settings, "comparisonValue", may_be_empty=True)
        return Equal(text_setting(settings, "fieldName"), text)
    conditions = settings.get("conditions") if kind == "NOT" else None
    if not isinstance(conditions, list) or not conditions or depth == _DEEPEST:
        raise RefusedError(
            "its conditions are {type: EQUAL, fieldName, comparisonValue} or {type: NOT, conditions: [at least one]}."
        )
    return NoneOf(tuple(_condition(item, depth + 1) for item in conditions))
