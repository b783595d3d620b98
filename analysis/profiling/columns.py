"""Columns: ratios, extremes, frequent values and meaning of every path of a stream."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from analysis.profiling import patterns
from analysis.profiling.facts import Facts
from analysis.profiling.money import CurrencyColumns
from analysis.profiling.paths import Node
from analysis.profiling.personal import is_personal
from analysis.profiling.profile import ColumnProfile, Path
from analysis.profiling.semantic import semantic_type
from analysis.profiling.values import as_text, json_type, observed_type, shorten

_DISTINCT_LOOKED_AT = 200
_TOP_VALUES = 5


def profile_columns(
    nodes: Sequence[Node], rows: int, declared: Mapping[Path, tuple[str, bool]]
) -> tuple[ColumnProfile, ...]:
    """Profile every node; `declared` gives a path's declared type and whether its values are listed."""
    currencies = CurrencyColumns(node.path for node in nodes)
    emails = {node.path[:-1] for node in nodes if "email" in node.path[-1].lower()}
    return tuple(
        profile_column(
            node,
            rows,
            *declared.get(node.path, ("unknown", False)),
            has_currency_beside=currencies.beside(node.path) is not None,
            has_email_beside=node.path[:-1] in emails,
        )
        for node in nodes
    )


def profile_column(
    node: Node,
    rows: int,
    declared: str = "unknown",
    enumerated: bool = False,
    *,
    has_currency_beside: bool = False,
    has_email_beside: bool = False,
) -> ColumnProfile:
    """Profile one column; personal columns keep no values, only what they are."""
    counts = Counter(map(as_text, node.values))
    observed = observed_type(set(map(json_type, node.values)))
    facts = Facts(
        path=node.path,
        declared=declared,
        observed=observed,
        texts=tuple(islice(counts, _DISTINCT_LOOKED_AT)),
        value_count=len(node.values),
        distinct_count=len(counts),
        has_currency_beside=has_currency_beside,
        has_email_beside=has_email_beside,
        enumerated=enumerated,
    )
    meaning, evidence = semantic_type(facts)
    personal = is_personal(facts, meaning)
    shown = not personal and observed not in ("object", "array", "unknown")
    low, high = _extremes(node.values, counts, observed) if shown else (None, None)
    return ColumnProfile(
        path=node.path,
        declared_type=declared,
        observed_type=observed,
        null_ratio=1 - node.rows / rows if rows else 1.0,
        distinct_ratio=len(counts) / len(node.values) if node.values else 0.0,
        minimum=low,
        maximum=high,
        top_values=tuple((shorten(text), count) for text, count in counts.most_common(_TOP_VALUES)) if shown else (),
        semantic_type=meaning,
        is_personal=personal,
        evidence=evidence,
    )


def _extremes(values: Sequence[Any], counts: Counter[str], observed: str) -> tuple[str, str]:
    """Smallest and greatest value: as numbers where all are, else as texts."""
    if observed in ("integer", "number") or all(patterns.is_number(text) for text in counts):
        ordered = sorted(counts, key=_as_number)
        return shorten(ordered[0]), shorten(ordered[-1])
    return shorten(min(counts)), shorten(max(counts))


def _as_number(text: str) -> float:
    try:
        number = float(text)
    except (ValueError, OverflowError):
        return float("inf")
    return number if number == number else float("inf")
