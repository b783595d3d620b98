"""Rows that may be shown where many look: what names, reaches or places a person is replaced."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.profiling.columns import profile_columns
from analysis.profiling.facts import Facts
from analysis.profiling.paths import Columns
from analysis.profiling.personal import is_personal
from analysis.profiling.profile import ColumnProfile

MASK = "•••"
_EMAIL_INSIDE = re.compile(r"[^\s@<>()\"',;:]{1,64}@[^\s@<>()\"',;:]{1,255}\.[^\s@<>()\"',;:.]{2,}")


def mask_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same rows without personal values; nulls stay, and an object that holds such a value is masked whole."""
    hidden = personal_columns(rows)
    return [{name: _masked(value, name in hidden) for name, value in row.items()} for row in rows]


def personal_columns(rows: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Columns that are personal by their values here or, since a few rows say little, by their names alone."""
    columns = Columns()
    for number, row in enumerate(rows):
        columns.add(number, row)
    found = profile_columns(list(columns), len(rows), {})
    return frozenset(column.path[0] for column in found if column.is_personal or _is_named_so(column))


def _is_named_so(column: ColumnProfile) -> bool:
    if column.observed_type != "string":
        return False
    return is_personal(Facts(column.path, "unknown", "string", texts=(), value_count=0, distinct_count=0), "unknown")


def _masked(value: Any, is_hidden: bool) -> Any:
    if value is None:
        return None
    if is_hidden:
        return MASK
    if isinstance(value, str):
        return _EMAIL_INSIDE.sub(MASK, value)
    if isinstance(value, Mapping | list) and _EMAIL_INSIDE.search(json.dumps(value, default=str)):
        return MASK
    return value
