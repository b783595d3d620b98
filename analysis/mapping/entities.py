"""Entities: what a stream may be, by its name first and by what its fields then say."""

from typing import NamedTuple

from analysis.mapping.fields import StreamReader
from analysis.mapping.mapping import FieldMapping
from analysis.mapping.synonyms import EntityTerms, Phrase, load_synonyms
from analysis.mapping.vocabulary import load_vocabulary
from analysis.profiling.paths import ITEM

LEAST_SCORE = 0.62
_NAME_SHARE = 0.75
_HEAD_WEIGHT = 0.62
_MISSING_NEEDS = 0.18
_TELLING_COLUMNS = 4
"""A stream with fewer columns than these cannot be blamed for what it lacks."""
_ENOUGH = (1.0, 3.0)
_COMMON_FIELDS = frozenset({"name", "description", "status", "type", "created_at", "updated_at", "title"})


class Claim(NamedTuple):
    """One stream's claim to be an entity."""

    entity: str
    score: float
    name_score: float
    name: Phrase
    fields: tuple[FieldMapping, ...]

    @property
    def evidence(self) -> str:
        """The claim in words."""
        found = ", ".join(mapping.field for mapping in self.fields) or "none"
        return f"Its name says {' '.join(self.name)!r} ({self.name_score:.2f}); fields found: {found}."


def claims(core: Phrase, reader: StreamReader) -> tuple[Claim, ...]:
    """Every entity that the stream's name allows and its fields bear out, best first; none is an answer."""
    found = [_claim(entity, score, name, reader) for entity, (score, name) in named_entities(core).items()]
    return tuple(sorted((claim for claim in found if claim.score >= LEAST_SCORE), key=lambda claim: -claim.score))


def named_entities(core: Phrase) -> dict[str, tuple[float, Phrase]]:
    """Entities by name alone: the whole name, or its last nouns where the entity allows that; never its first."""
    synonyms = load_synonyms()
    if core in synonyms.not_entities:
        return {}
    found = {entity: _name_score(core, terms) for entity, terms in synonyms.entities.items()}
    return {entity: (score, name) for entity, (score, name) in found.items() if score > 0}


def _name_score(core: Phrase, terms: EntityTerms) -> tuple[float, Phrase]:
    if core in terms.names:
        return terms.names[core], core
    glued = {"".join(name): (weight, name) for name, weight in terms.names.items()}
    if "".join(core) in glued:
        return glued["".join(core)]
    for start in range(1, len(core)):
        if core[start:] in terms.heads:
            return _HEAD_WEIGHT, core[start:]
    return 0.0, ()


def _claim(entity: str, name_score: float, name: Phrase, reader: StreamReader) -> Claim:
    terms = load_synonyms().entities[entity]
    fields = reader.assign(load_vocabulary()[entity])
    own = [mapping for mapping in fields if _says_something_of_the_row(mapping)]
    found = sum(_weight(mapping.field, terms) * mapping.confidence for mapping in own)
    lacks = terms.needs and not {mapping.field for mapping in own} & terms.needs
    missing = _MISSING_NEEDS if lacks and len(reader.columns) >= _TELLING_COLUMNS else 0.0
    score = _NAME_SHARE * name_score + (1 - _NAME_SHARE) * min(1.0, found / _enough(entity, terms)) - missing
    return Claim(entity, round(score, 4), name_score, name, fields)


def _says_something_of_the_row(mapping: FieldMapping) -> bool:
    """The items of an array are other things than the row, unless they are its addresses and numbers."""
    return ITEM not in mapping.path or mapping.field.startswith(("email", "phone", "address_"))


def _enough(entity: str, terms: EntityTerms) -> float:
    """The weight of fields that leaves no doubt: more than half of what the entity has, within bounds."""
    least, most = _ENOUGH
    available = sum(_weight(field.name, terms) for field in load_vocabulary()[entity].fields if field.name != "id")
    return max(least, min(most, 0.6 * available))


def _weight(field: str, terms: EntityTerms) -> float:
    """A field that tells the entity from its like counts most, one that everything has least."""
    if field in terms.distinct:
        return 1.5
    return 0.25 if field in _COMMON_FIELDS else 0.75
