"""Candidate keys: the catalog's first, then what names, types and values speak for."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from analysis.profiling.names import singular_words, words
from analysis.profiling.paths import ITEM, value_at
from analysis.profiling.profile import CandidateKey, ColumnProfile, Path
from analysis.profiling.semantic import ID_WORDS, is_identifier_name
from analysis.profiling.values import as_text

Records = Sequence[Mapping[str, Any]]

_OWN_NAMES = {
    "id": 1.0, "uuid": 0.95, "guid": 0.95, "gid": 0.85, "sid": 0.95, "uid": 0.9, "key": 0.7, "pk": 0.95, "sha": 0.9,
}  # fmt: skip
_ENDINGS = ID_WORDS | {"key", "code", "number", "no", "num"}
_SPEAKING = frozenset({"sku", "slug", "handle", "email", "token", "hash", "name", "label", "reference"})
_MAXIMUM_KEYS = 3
_MAXIMUM_PARTS = 8
_LAST_RESORT = 0.4
_FEW_ROWS = 5
_MANY_ROWS = 20
_NEVER = frozenset(
    {
        *("json", "free_text", "person_name", "iso_timestamp", "date", "epoch_seconds", "epoch_milliseconds"),
        *("boolean_like", "minor_units", "enum", "currency", "country", "phone", "url", "number"),
    }
)
_TIMES = frozenset({"date", "iso_timestamp", "epoch_seconds", "epoch_milliseconds"})
_DIMENSIONS = frozenset({"identifier", "uuid", "enum", "country", "email", "unknown", "url"})


def candidate_keys(
    stream: str, records: Records, columns: Sequence[ColumnProfile], declared: tuple[Path, ...]
) -> tuple[CandidateKey, ...]:
    """The stream's keys, best first; none is an answer."""
    found = [_declared_key(declared, records)] if _is_there(declared, columns) else []
    found += [key for key in _single_keys(stream, records, columns) if key.columns != declared]
    if not found:
        found = _composite_keys(records, columns)
    return tuple(found[:_MAXIMUM_KEYS])


def _is_there(declared: tuple[Path, ...], columns: Sequence[ColumnProfile]) -> bool:
    """Whether every part of a declared key is a column that holds values, or might: nothing was sampled."""
    held = {column.path: column.null_ratio < 1 for column in columns}
    sampled = any(held.values())
    return bool(declared) and all(path in held and (held[path] or not sampled) for path in declared)


def duplicates(records: Records, key: Sequence[Path]) -> int:
    """Rows beyond the first of their key."""
    return len(records) - len({tuple(as_text(value_at(record, path)) for path in key) for record in records})


def _declared_key(declared: tuple[Path, ...], records: Records) -> CandidateKey:
    repeated = duplicates(records, declared)
    evidence = f"Declared in the catalog; {len(records) - repeated} of {len(records)} sampled rows are distinct."
    return CandidateKey(columns=declared, is_declared=True, duplicates=repeated, evidence=evidence)


def _single_keys(stream: str, records: Records, columns: Sequence[ColumnProfile]) -> list[CandidateKey]:
    """Columns whose name reaches the bar; else the one that comes nearest, if it is named as an identifier at all."""
    bar = _bar(len(records))
    scored = [(own_name_score(stream, column), column) for column in columns if _may_identify(column)]
    scored = [(score, column) for score, column in scored if score >= _LAST_RESORT]
    scored = [(score, column) for score, column in scored if duplicates(records, [column.path]) == 0]
    scored.sort(key=lambda pair: (-pair[0], len(pair[1].path)))
    nearest = [pair for pair in scored if singular_words(pair[1].path[-1])[-1] in ID_WORDS][:1]
    good = [pair for pair in scored if pair[0] >= bar] or (nearest if len(records) > 1 else [])
    return [
        CandidateKey(
            columns=(column.path,),
            is_declared=False,
            duplicates=0,
            evidence=f"Distinct and filled in all {len(records)} sampled rows; name fit {score:.2f}, wanted {bar:.2f}.",
        )
        for score, column in good
    ]


def _bar(rows: int) -> float:
    """How much the name must say: values prove little in a small sample."""
    return 0.4 if rows >= 100 else 0.55 if rows >= _MANY_ROWS else 0.65


def _may_identify(column: ColumnProfile) -> bool:
    whole = column.observed_type in ("string", "integer")
    filled = column.null_ratio == 0 and column.distinct_ratio == 1
    named = singular_words(column.path[-1])[-1:]
    by_name = bool(named) and (named[0] in _ENDINGS or named in (("date",), ("day",)))
    return whole and filled and ITEM not in column.path and (column.semantic_type not in _NEVER or by_name)


def own_name_score(stream: str, column: ColumnProfile) -> float:
    """How much a name says that it identifies the stream's own rows: 1 for `id`, 0 or less for nothing."""
    leaf = singular_words(column.path[-1])
    nested = 0.65 * (len(column.path) - 1)
    joined = "".join(leaf)
    if joined in _OWN_NAMES:
        return _OWN_NAMES[joined] - nested
    if leaf and leaf[-1] in _ENDINGS:
        weak = 0.0 if leaf[-1] in ID_WORDS else 0.2
        return _about(leaf[:-1], singular_words(stream)) - weak - nested
    if column.semantic_type == "uuid":
        return 0.6 - nested
    if leaf in (("date",), ("day",)):
        return 0.4 - nested
    return (0.45 if set(leaf) & _SPEAKING else 0.2) - nested


def _about(head: tuple[str, ...], own: tuple[str, ...]) -> float:
    """Whether `customer` of `customer_id` is what the stream is about, or another thing that it points at."""
    if head and (set(head) == set(own) or head == own[-len(head) :]):
        return 0.9
    if set(head) <= {"unique", "record", "object", "row", "entity", "internal"}:
        return 0.75
    return 0.7 if head == own[: len(head)] or set(own) < set(head) else 0.42


def _composite_keys(records: Records, columns: Sequence[ColumnProfile]) -> list[CandidateKey]:
    """Pairs, then triples of dimension-like columns; a small sample must have identifiers on every side."""
    if len(records) < 2:
        return []
    parts = sorted((column for column in columns if _may_be_part(column, len(records))), key=_part_order)[
        :_MAXIMUM_PARTS
    ]
    for size in (2, 3):
        for chosen in combinations(parts, size):
            key = tuple(column.path for column in chosen)
            if duplicates(records, key) == 0:
                evidence = f"Together distinct in all {len(records)} sampled rows, and no single column is."
                return [CandidateKey(columns=key, is_declared=False, duplicates=0, evidence=evidence)]
    return []


def _may_be_part(column: ColumnProfile, rows: int) -> bool:
    if len(column.path) > 1 or column.null_ratio > 0 or column.observed_type not in ("string", "integer"):
        return False
    if is_identifier_name(singular_words(column.path[-1])):
        return True
    if column.semantic_type in _TIMES or words(column.path[-1]) == ("ts",):
        return rows >= _FEW_ROWS
    return rows >= _MANY_ROWS and column.semantic_type in _DIMENSIONS and column.distinct_ratio < 1


def _part_order(column: ColumnProfile) -> tuple[bool, bool, float]:
    is_time = column.semantic_type in _TIMES
    return (column.semantic_type not in ("identifier", "uuid"), not is_time, -column.distinct_ratio)
