"""Fields: which column of a stream feeds which field of an entity, decided for all fields together."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from analysis.mapping.assignment import assign
from analysis.mapping.casts import choose_cast
from analysis.mapping.fit import type_fit
from analysis.mapping.mapping import FieldMapping
from analysis.mapping.readings import Reading, common_prefixes, readings
from analysis.mapping.similarity import likeness
from analysis.mapping.synonyms import Phrase, load_synonyms, phrase
from analysis.mapping.vocabulary import Entity, Field
from analysis.profiling.money import CurrencyColumns
from analysis.profiling.paths import ITEM
from analysis.profiling.profile import ColumnProfile, Path, StreamProfile

LEAST_SCORE = 0.66
_RANK_STEP = 0.004
_MAXIMUM_DEPTH = 4
_ADDRESS_WORDS = frozenset({"city", "town", "zip", "zipcode", "postal", "postcode", "postalcode", "street", "locality"})


class Match(NamedTuple):
    """How well one column suits one field, and the name of the field that was found in it."""

    score: float
    name: Phrase
    likeness: float
    fit: float


_NO_MATCH = Match(0.0, (), 0.0, 0.0)


class StreamReader:
    """One stream's columns with their readings, scored against any entity."""

    def __init__(self, stream: StreamProfile, own_names: Iterable[Phrase] = ()) -> None:
        self.stream = stream
        self.currencies = CurrencyColumns(column.path for column in stream.columns)
        self.columns = tuple(column for column in stream.columns if _is_candidate(column))
        self._addresses = {column.path[:-1] for column in self.columns if _ADDRESS_WORDS & set(phrase(column.path[-1]))}
        prefixes = common_prefixes([column.path[-1] for column in self.columns if column.path[-1] != ITEM])
        names = {phrase(stream.stream), *own_names}
        names |= {(name[-1],) for name in names if name}
        self._readings = {column.path: readings(column.path, names, prefixes) for column in self.columns}

    def match(self, column: ColumnProfile, entity: Entity, field: Field) -> Match:
        """How well a column suits a field: likeness of names, times how its values suit."""
        name, alike = _best_name(self._readings[column.path], load_synonyms().fields[entity.name, field.name])
        fit = type_fit(column, field) * self._address_fit(column, field)
        return Match(alike * fit, name, alike, fit)

    def _match_if_fit(self, column: ColumnProfile, entity: Entity, field: Field) -> Match:
        """The match, or nothing where the values rule the field out: names need not be compared then."""
        if type_fit(column, field) < LEAST_SCORE:
            return _NO_MATCH
        return self.match(column, entity, field)

    def _address_fit(self, column: ColumnProfile, field: Field) -> float:
        """A `state` or `region` is part of an address only beside other parts of one."""
        return 0.5 if field.name == "address_state" and column.path[:-1] not in self._addresses else 1.0

    def assign(
        self, entity: Entity, taken_fields: Collection[str] = (), taken_paths: Collection[Path] = ()
    ) -> tuple[FieldMapping, ...]:
        """The best column for each field, each column once; fields that nothing suits stay out."""
        fields = [field for field in entity.fields if field.name != "id" and field.name not in taken_fields]
        columns = [column for column in self.columns if column.path not in taken_paths]
        matches = [[self._match_if_fit(column, entity, field) for column in columns] for field in fields]
        scores = [[match.score if match.score >= LEAST_SCORE else 0.0 for match in row] for row in matches]
        found = [self._mapping(columns[column], fields[row], matches[row][column]) for row, column in assign(scores)]
        return tuple(mapping for mapping in found if mapping is not None)

    def _mapping(self, column: ColumnProfile, field: Field, match: Match) -> FieldMapping | None:
        cast = choose_cast(column, field, self.currencies)
        if cast is None:
            return None
        return FieldMapping(
            path=column.path,
            field=field.name,
            transform=cast.transform,
            arguments=cast.arguments,
            confidence=round(min(0.99, match.score), 3),
            method="rule",
            evidence=_evidence(column, match),
        )


def _is_candidate(column: ColumnProfile) -> bool:
    return len([name for name in column.path if name != ITEM]) <= _MAXIMUM_DEPTH and column.path[-1].strip("_") != ""


def _best_name(found: tuple[Reading, ...], names: tuple[Phrase, ...]) -> tuple[Phrase, float]:
    """The field's name that fits best; names are in order of preference, each a little weaker than the one before."""
    best, score = names[0], 0.0
    for rank, name in enumerate(names):
        weight = 1 - min(rank, 15) * _RANK_STEP
        for reading in found:
            possible = reading.factor * weight
            if possible > score and (alike := likeness(reading.name, name) * possible) > score:
                best, score = name, alike
    return best, score


def _evidence(column: ColumnProfile, match: Match) -> str:
    shown = ".".join(column.path)
    return (
        f"{shown!r} reads as {' '.join(match.name)!r} (likeness {match.likeness:.2f}); "
        f"its values ({column.semantic_type}) suit the field ({match.fit:.2f})."
    )
