"""References: columns whose values are the key of another stream of the same source."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from analysis.profiling.names import singular, words
from analysis.profiling.paths import ITEM
from analysis.profiling.profile import Path, Reference, StreamProfile
from analysis.profiling.semantic import ID_WORDS

Values = frozenset[str]
LEAST_CONFIDENCE = 0.5
_TELLING_LENGTH = 6


class Target(NamedTuple):
    """A stream that can be pointed at: its name in words, its key and the key's sampled values."""

    stream: str
    name: tuple[str, ...]
    column: Path
    values: Values


def find_references(
    streams: Sequence[StreamProfile], values: dict[tuple[str, str], dict[Path, Values]]
) -> tuple[Reference, ...]:
    """References within each source; `values` holds each stream's scalar values by path."""
    by_source: dict[str, list[StreamProfile]] = defaultdict(list)
    for stream in streams:
        by_source[stream.source].append(stream)
    return tuple(reference for members in by_source.values() for reference in _of_source(members, values))


def _of_source(
    members: Sequence[StreamProfile], values: dict[tuple[str, str], dict[Path, Values]]
) -> Iterator[Reference]:
    targets = [_target(member, values[member.source, member.stream]) for member in members]
    known = [target for target in targets if target is not None]
    for member in members:
        held = values[member.source, member.stream]
        own = member.keys[0].columns if member.keys else ()
        for column in member.columns:
            if (column.path,) == own or column.semantic_type in ("json", "boolean_like", "free_text"):
                continue
            best = _best(member.stream, column.path, held.get(column.path, frozenset()), known)
            if best is not None:
                target, confidence, evidence = best
                yield Reference(
                    source=member.source,
                    stream=member.stream,
                    column=column.path,
                    to_stream=target.stream,
                    to_column=target.column,
                    confidence=confidence,
                    evidence=evidence,
                )


def _target(stream: StreamProfile, values: dict[Path, Values]) -> Target | None:
    if not stream.keys or len(stream.keys[0].columns) != 1:
        return None
    key = stream.keys[0].columns[0]
    return Target(
        stream.stream, tuple(singular(word) for word in words(stream.stream)), key, values.get(key, frozenset())
    )


def _best(stream: str, path: Path, values: Values, targets: Sequence[Target]) -> tuple[Target, float, str] | None:
    scored = [
        (target, *_confidence(path, values, target)) for target in targets if target.stream != stream or len(path) == 1
    ]
    best = max(scored, key=lambda found: found[1], default=None)
    return best if best is not None and best[1] >= LEAST_CONFIDENCE else None


def _confidence(path: Path, values: Values, target: Target) -> tuple[float, str]:
    """Name and inclusion together; a name alone is worth little more than the bar, small numbers alone nothing."""
    name = _name_fit(path, target.name) if _same_kind(values, target.values) else 0.0
    shared = len(values & target.values)
    inclusion = shared / len(values) if values else 0.0
    telling = shared >= 3 and all(len(value) >= _TELLING_LENGTH for value in values)
    if name == 0.0 and not (telling and inclusion >= 0.9):
        return 0.0, ""
    evidence = f"{shared} of {len(values)} sampled values are keys of {target.stream}; name fit {name:.2f}."
    return min(0.99, 0.55 * name + (0.4 if name else 0.6) * inclusion), evidence


def _same_kind(values: Values, keys: Values) -> bool:
    """Texts never point at whole numbers; nothing sampled contradicts nothing."""
    if not values or not keys or not all(key.isdigit() for key in keys):
        return True
    return any(value.isdigit() for value in values)


def _name_fit(path: Path, target: tuple[str, ...]) -> float:
    """1 for `customer_id`, `customer` or `customer.id` → customers; less where only the target's last word fits."""
    names = [tuple(singular(word) for word in words(part)) for part in path if part != ITEM]
    if not names or not target:
        return 0.0
    leaf = names[-1]
    has_id = bool(leaf) and leaf[-1] in ID_WORDS
    core = leaf[:-1] if has_id else leaf
    if not core and len(names) > 1:
        core = names[-2]
    if core == target:
        return 1.0
    if has_id and core and core[-1:] == target[-1:] and (len(core) == 1 or len(target) == 1):
        return 0.7
    return 0.0
