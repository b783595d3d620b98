"""The canonical vocabulary: the target of every mapping and the contract of the canonical models."""

import csv
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict

SQL_TYPES = {
    "text": "text",
    "integer": "bigint",
    "numeric": "numeric",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamptz",
}

# The entities that have a `canonical_<entity>` model; a test holds this equal to dbt_project/models/canonical.
CANONICAL_ENTITIES = ("customer", "payment", "order", "product", "repository", "pull_request", "ticket")


class Field(BaseModel):
    """One field of an entity, with its vocabulary type (a key of `SQL_TYPES`)."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: str

    @property
    def sql_type(self) -> str:
        """The PostgreSQL type of the field."""
        return SQL_TYPES[self.type]


class Entity(BaseModel):
    """One entity and its fields in vocabulary order."""

    model_config = ConfigDict(frozen=True)

    name: str
    description: str
    fields: tuple[Field, ...]


@cache
def load_vocabulary() -> dict[str, Entity]:
    """Every entity of the shipped vocabulary by name, in file order."""
    text = resources.files("analysis.mapping").joinpath("canonical_vocabulary.csv").read_text("utf-8")
    fields: dict[str, list[Field]] = {}
    descriptions: dict[str, str] = {}
    for row in csv.DictReader(text.splitlines()):
        fields.setdefault(row["entity"], []).append(Field(name=row["field"], type=row["type"]))
        descriptions[row["entity"]] = row["entity_description"]
    return {
        name: Entity(name=name, description=descriptions[name], fields=tuple(found)) for name, found in fields.items()
    }
