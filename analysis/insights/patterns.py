"""Simple, robust patterns of a daily series; "not enough history" is an answer."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations
from math import isfinite, sqrt
from statistics import median
from typing import Literal

from pydantic import BaseModel, ConfigDict

_WEEK = 7
_MINIMUM_WEEKS = 4
_TREND_WEEKS = 8
_NOTABLE, _STRONG = 4.0, 6.0
# Mann-Kendall: among eight weeks, 18 or more pairs in excess go one way by chance in 3 of 100 series.
_KENDALL_LIMIT = 18

Value = int | float | Decimal | None
Severity = Literal["none", "notable", "strong"]


class _Finding(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Anomaly(_Finding):
    """Whether a day left its weekday's usual range."""

    verdict: Literal["usual", "spike", "drop", "not enough history"]
    severity: Severity = "none"


class Trend(_Finding):
    """Where the weekly means go."""

    verdict: Literal["rising", "falling", "flat", "not enough history"]


def find_anomaly(series: Sequence[Value], *, is_count: bool = False) -> Anomaly:
    """Judge the last of a series of days by its weekday's median and the spread (MAD) of all days around theirs.

    None is a day without a value. Counts are granted at least the spread of chance (Poisson).
    """
    # Days run backwards: place n * 7 is today's weekday.
    today, *past = [_finite(value) for value in reversed(series)] or [None]
    weekdays = [[value for value in past[place::_WEEK] if value is not None] for place in range(_WEEK)]
    same = weekdays[_WEEK - 1]
    if today is None or len(same) < _MINIMUM_WEEKS:
        return Anomaly(verdict="not enough history")
    expected = median(same)
    spread = median(abs(value - median(values)) for values in weekdays for value in values) * 1.4826
    floor = sqrt(max(expected, 1.0)) if is_count else 0.1 * abs(expected)
    distance = (today - expected) / (max(spread, floor) or 1.0)
    if abs(distance) < _NOTABLE:
        return Anomaly(verdict="usual")
    severity: Severity = "strong" if abs(distance) >= _STRONG else "notable"
    return Anomaly(verdict="spike" if distance > 0 else "drop", severity=severity)


def find_trend(series: Sequence[Value]) -> Trend:
    """The direction of the last eight weeks' means (Mann-Kendall), flat unless chance is an unlikely cause."""
    weeks: list[float] = []
    for place in range(_TREND_WEEKS):
        week = series[len(series) - (place + 1) * _WEEK : len(series) - place * _WEEK]
        present = [value for value in map(_finite, week) if value is not None]
        if len(series) < (place + 1) * _WEEK or not present:
            return Trend(verdict="not enough history")
        weeks.insert(0, sum(present) / len(present))
    score = sum((later > earlier) - (later < earlier) for earlier, later in combinations(weeks, 2))
    if abs(score) < _KENDALL_LIMIT:
        return Trend(verdict="flat")
    return Trend(verdict="rising" if score > 0 else "falling")


def _finite(value: Value) -> float | None:
    """The value as a float; one that is too great for a float counts as missing."""
    number = None if value is None else float(value)
    return number if number is not None and isfinite(number) else None
