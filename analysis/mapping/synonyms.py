"""The shipped synonyms: what entities and fields are called elsewhere, read once."""

from functools import cache
from importlib import resources
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from analysis.mapping.vocabulary import load_vocabulary
from analysis.profiling.names import singular, words

Phrase = tuple[str, ...]


class EntityTerms(BaseModel):
    """How an entity is recognised: names with their weight, names that also hold as a head noun, telling fields."""

    model_config = ConfigDict(frozen=True)

    names: dict[Phrase, float]
    heads: frozenset[Phrase] = frozenset()
    needs: frozenset[str] = frozenset()
    distinct: frozenset[str] = frozenset()


class Synonyms(BaseModel):
    """The whole file, in words that are written out and singular."""

    model_config = ConfigDict(frozen=True)

    noise: frozenset[str]
    containers: frozenset[Phrase]
    value_words: frozenset[Phrase]
    entities: dict[str, EntityTerms]
    not_entities: frozenset[Phrase]
    fields: dict[tuple[str, str], tuple[Phrase, ...]]
    """(entity, field) → its names, the vocabulary's own first."""
    meanings: dict[str, frozenset[str]]


@cache
def load_synonyms() -> Synonyms:
    """The shipped synonyms, for every entity and field of the vocabulary."""
    raw = _raw()
    return Synonyms(
        noise=frozenset(raw["noise"]),
        containers=_phrases(raw["containers"]),
        value_words=_phrases(raw["value_words"]),
        entities={name: _terms(entry) for name, entry in raw["entities"].items()},
        not_entities=_phrases(raw["not_entities"]),
        fields={
            (entity.name, field.name): _field_names(raw["fields"], entity.name, field.name)
            for entity in load_vocabulary().values()
            for field in entity.fields
        },
        meanings={name: frozenset(kinds) for name, kinds in raw["meanings"].items()},
    )


def phrase(name: str) -> Phrase:
    """A name as singular words with abbreviations written out."""
    written: list[str] = []
    for word in words(name):
        written += _abbreviations().get(word, singular(word)).split()
    return tuple(written)


def _terms(entry: dict[str, Any]) -> EntityTerms:
    return EntityTerms(
        names={phrase(name): float(weight) for name, weight in entry["names"].items()},
        heads=_phrases(entry.get("heads", ())),
        needs=frozenset(entry.get("needs", ())),
        distinct=frozenset(entry.get("distinct", ())),
    )


def _field_names(fields: dict[str, dict[str, list[str]]], entity: str, field: str) -> tuple[Phrase, ...]:
    own = fields.get(entity, {}).get(field, [])
    common = fields["common"].get(field, [])
    return tuple(dict.fromkeys(phrase(name) for name in (field, *own, *common)))


def _phrases(names: list[str]) -> frozenset[Phrase]:
    return frozenset(phrase(name) for name in names)


@cache
def _abbreviations() -> dict[str, str]:
    found: dict[str, str] = _raw()["abbreviations"]
    return found


@cache
def _raw() -> dict[str, Any]:
    text = resources.files("analysis.mapping").joinpath("synonyms.yaml").read_text("utf-8")
    loaded: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    return loaded
