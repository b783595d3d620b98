"""Changes of a stream's schema, applied to the records an API answers with."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ConfigDict

from airbyte_sandbox.schema import Record

DriftKind = Literal["add_field", "drop_field", "rename_field", "change_type"]


@dataclass(frozen=True)
class Drift:
    """One change of one field; a dotted `field` is inside an object, as `properties.email`."""

    tool: str
    stream: str
    kind: DriftKind
    field: str
    to: str | None = None
    """The new name of `rename_field`."""
    value: Any = "drifted"
    """What `add_field` puts into every record."""

    # Read by pydantic: a misspelt setting is an error.
    __pydantic_config__ = ConfigDict(extra="forbid")

    def __post_init__(self) -> None:
        if self.kind == "rename_field" and not self.to:
            raise ValueError(f"A renamed field has a new name in `to`. (field={self.field!r})")

    def applied(self, record: Record) -> Record:
        """The changed record; the given one stays as it is. A record without the field (or its parent) is as it was."""
        *parents, name = self.field.split(".")
        return _inside(record, parents, lambda found: self._changed(found, name))

    def _changed(self, found: Record, name: str) -> Record:
        if self.kind == "add_field":
            return {**found, name: self.value}
        if name not in found:
            return found
        match self.kind:
            case "drop_field":
                return {key: value for key, value in found.items() if key != name}
            case "rename_field":
                return {str(self.to) if key == name else key: value for key, value in found.items()}
            case _:
                return {**found, name: _other_type(found[name])}


def _inside(record: Record, parents: list[str], change: Callable[[Record], Record]) -> Record:
    if not parents:
        return change(record)
    first, *rest = parents
    inner = record.get(first)
    return {**record, first: _inside(inner, rest, change)} if isinstance(inner, dict) else record


def _other_type(value: Any) -> Any:
    """A text becomes its length, everything else but null a text."""
    if value is None:
        return None
    return len(value) if isinstance(value, str) else json.dumps(value)
