"""Identity: which single column of a stream identifies its rows, so that it can be a canonical record's id."""

from analysis.mapping.casts import choose_cast
from analysis.mapping.mapping import FieldMapping
from analysis.mapping.vocabulary import Entity
from analysis.profiling.keys import own_name_score
from analysis.profiling.money import CurrencyColumns
from analysis.profiling.paths import ITEM
from analysis.profiling.profile import CandidateKey, StreamProfile

SURE_NAME = 0.65
"""How much an inferred key's name must say before records are told apart by it; see `own_name_score`."""


def usable_key(stream: StreamProfile) -> CandidateKey | None:
    """The declared key, else the best inferred one; only of a single column outside arrays, and no weak guess."""
    declared = [key for key in stream.keys if key.is_declared]
    for key in declared or stream.keys:
        column = next((column for column in stream.columns if (column.path,) == key.columns), None)
        if column is None or ITEM in column.path:
            continue
        if key.is_declared or (key.duplicates == 0 and own_name_score(stream.stream, column) >= SURE_NAME):
            return key
    return None


def id_mapping(stream: StreamProfile, entity: Entity, key: CandidateKey) -> FieldMapping:
    """The stream's key as the entity's id."""
    field = next(field for field in entity.fields if field.name == "id")
    cast = choose_cast(stream.column(key.columns[0]), field, CurrencyColumns(()))
    return FieldMapping(
        path=key.columns[0],
        field="id",
        transform=cast.transform if cast else "text",
        confidence=0.99 if key.is_declared else 0.9,
        method="rule",
        evidence=f"The stream's key. {key.evidence}",
    )
