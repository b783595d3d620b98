"""Readings: the ways in which a path may be meant as the name of a field, each with how sure that is."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from analysis.mapping.synonyms import Phrase, load_synonyms, phrase
from analysis.profiling.paths import ITEM
from analysis.profiling.profile import Path

_SHORTEST_REST = 3
_NESTED_LEAF = 0.55


class Reading(NamedTuple):
    """One reading of a path and the factor its likeness counts with."""

    name: Phrase
    factor: float


def readings(
    path: Path, own_names: Iterable[Phrase] = (), prefixes: frozenset[str] = frozenset()
) -> tuple[Reading, ...]:
    """Readings of a path in a stream called `own_names`, whose column names often start with `prefixes`."""
    synonyms = load_synonyms()
    parts = [_cleaned(phrase(name), prefixes) for name in path if name != ITEM]
    parts = [part for part in parts[:-1] if part not in synonyms.containers] + parts[-1:]
    own = tuple(own_names)
    base = 0.88 if ITEM in path else 1.0
    found = {_joined(parts): base * (1.0 if len(parts) == 1 else 0.97 - 0.04 * (len(parts) - 2))}
    if len(parts) > 1:
        _add_nested(found, parts, own, base)
    for name, factor in list(found.items()):
        for rest, part in _without_own_name(name, own):
            _keep(found, rest, factor * part)
    return tuple(Reading(name, factor) for name, factor in found.items() if name)


def common_prefixes(names: Sequence[str]) -> frozenset[str]:
    """First words that at least five columns and a fifth of them share: they say nothing."""
    counts = Counter(parts[0] for parts in map(phrase, names) if len(parts) > 1)
    return frozenset(word for word, count in counts.items() if count >= max(5, len(names) / 5) and len(word) <= 4)


def _add_nested(found: dict[Phrase, float], parts: list[Phrase], own: tuple[Phrase, ...], base: float) -> None:
    leaf, above = parts[-1], parts[-2]
    _keep(found, leaf, base * (0.95 if above in own else _NESTED_LEAF))
    _keep(found, (*above, *leaf), base * 0.93)
    if leaf in load_synonyms().value_words:
        _keep(found, _joined(parts[:-1]), base * 0.92)
        _keep(found, above, base * (0.9 if len(parts) == 2 else 0.8))


def _without_own_name(name: Phrase, own: tuple[Phrase, ...]) -> Iterable[tuple[Phrase, float]]:
    """What is left of `deal name` or `dealname` in a stream of deals."""
    for start in own:
        if len(name) > len(start) and name[: len(start)] == start:
            yield name[len(start) :], 0.97
        glued = "".join(start)
        if len(name) == 1 and name[0].startswith(glued) and len(name[0]) >= len(glued) + _SHORTEST_REST:
            yield (name[0][len(glued) :],), 0.93


def _cleaned(name: Phrase, prefixes: frozenset[str]) -> Phrase:
    """A column's words without a prefix that many share, or the one-letter mark of a custom field."""
    if len(name) > 1 and name[0] in prefixes:
        name = name[1:]
    return name[:-1] if len(name) > 1 and name[-1] == "c" else name


def _joined(parts: Sequence[Phrase]) -> Phrase:
    return tuple(dict.fromkeys(word for part in parts for word in part))


def _keep(found: dict[Phrase, float], name: Phrase, factor: float) -> None:
    found[name] = max(factor, found.get(name, 0.0))
