"""Anomalies and trends on made series."""

import random

import pytest

from analysis.insights.patterns import find_anomaly, find_trend

WEEK = (10, 11, 12, 11, 10, 3, 2)


def weeks(count: int, last: float, scale: float = 1.0) -> list[float]:
    """Whole weeks with a season and a little noise, then one day of the first weekday."""
    dice = random.Random(5)
    return [value * scale + dice.uniform(-1, 1) for _ in range(count) for value in WEEK] + [last]


@pytest.mark.parametrize(
    ("last", "verdict", "severity"),
    [(10.4, "usual", "none"), (30.0, "spike", "strong"), (0.0, "drop", "strong")],
    ids=["usual", "spike", "drop"],
)
def test_a_day_is_judged_by_its_weekday(last, verdict, severity):
    found = find_anomaly(weeks(8, last))
    assert (found.verdict, found.severity) == (verdict, severity)


def test_a_weekend_is_no_drop():
    assert find_anomaly([*weeks(8, 10)[:-2], 2.0]).verdict == "usual"


def test_earlier_anomalies_do_not_hide_a_new_one():
    series = weeks(8, 30.0)
    series[-8] = series[-15] = 500.0
    assert find_anomaly(series).verdict == "spike"


def test_small_counts_are_granted_the_spread_of_chance():
    series = [3.0] * 56 + [6.0]
    assert find_anomaly(series).verdict == "spike"
    assert find_anomaly(series, is_count=True).verdict == "usual"


@pytest.mark.parametrize("series", [[], [None], [5.0], weeks(3, 99.0), [*weeks(8, 1.0)[:-1], None]])
def test_too_few_days_are_not_enough_history(series):
    assert find_anomaly(series).verdict == "not enough history"


@pytest.mark.parametrize(("step", "verdict"), [(0.1, "rising"), (-0.1, "falling")], ids=["rising", "falling"])
def test_a_trend_is_seen_through_the_season(step, verdict):
    assert find_trend([WEEK[day % 7] + step * day for day in range(56)]).verdict == verdict


def test_noise_has_no_trend():
    rising = 0
    for seed in range(200):
        dice = random.Random(seed)
        rising += find_trend([dice.gauss(10, 3) for _ in range(60)]).verdict != "flat"
    assert rising <= 14


@pytest.mark.parametrize("series", [[], [1.0] * 55, [None] * 60])
def test_less_than_eight_weeks_have_no_trend(series):
    assert find_trend(series).verdict == "not enough history"
