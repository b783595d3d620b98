"""How the CRM writes things: every property as text, moments with milliseconds."""

from dataclasses import dataclass
from datetime import datetime

from airbyte_sandbox.schema import Record

Value = str | None


@dataclass(frozen=True)
class CrmObject:
    """A contact, deal, call …: what all objects have, and its properties as text."""

    id: str
    created_at: datetime
    updated_at: datetime
    properties: dict[str, Value]
    archived_at: datetime | None = None

    def as_json(self) -> Record:
        """The object as the API shows it, with all properties and no associations."""
        found: Record = {
            "id": self.id,
            "properties": self.properties,
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.updated_at),
            "archived": self.archived_at is not None,
        }
        return found | ({"archivedAt": iso(self.archived_at)} if self.archived_at else {})


def iso(at: datetime) -> str:
    """A moment as the API writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def text(value: object) -> Value:
    """A property's value; None stays, for the property is not set."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return iso(value) if isinstance(value, datetime) else str(value)


def properties(**values: object) -> dict[str, Value]:
    """Properties by name."""
    return {name: text(value) for name, value in values.items()}


def milliseconds(at: datetime) -> int:
    """A moment as the older addresses of the API write it."""
    return int(at.timestamp() * 1000)
