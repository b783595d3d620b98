"""Quartz's cron expressions; the examples are those of Quartz's own manual."""

from datetime import UTC, datetime

import pytest
from airbyte_server.connections.cron import next_time
from airbyte_server.connections.quartz import parse
from airbyte_server.errors import RefusedError


def times(expression, start, count=3):
    moment = datetime.fromisoformat(start).replace(tzinfo=UTC)
    found = []
    for _ in range(count):
        moment = parse(expression).next_after(moment)
        found.append(None if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}")
        if moment is None:
            break
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 0 12 * * ?", ["2026-01-01 12:00:00", "2026-01-02 12:00:00", "2026-01-03 12:00:00"]),
        ("0 15 10 ? * *", ["2026-01-01 10:15:00", "2026-01-02 10:15:00", "2026-01-03 10:15:00"]),
        ("0 15 10 * * ? 2027", ["2027-01-01 10:15:00", "2027-01-02 10:15:00", "2027-01-03 10:15:00"]),
        ("0 58/1 23 * * ?", ["2026-01-01 23:58:00", "2026-01-01 23:59:00", "2026-01-02 23:58:00"]),
        ("0 0/25 14 * * ?", ["2026-01-01 14:00:00", "2026-01-01 14:25:00", "2026-01-01 14:50:00"]),
        ("0 10,44 14 ? 3 WED", ["2026-03-04 14:10:00", "2026-03-04 14:44:00", "2026-03-11 14:10:00"]),
        ("0 15 10 ? * MON-FRI", ["2026-01-01 10:15:00", "2026-01-02 10:15:00", "2026-01-05 10:15:00"]),
        ("0 15 10 15 * ?", ["2026-01-15 10:15:00", "2026-02-15 10:15:00", "2026-03-15 10:15:00"]),
        ("0 15 10 L * ?", ["2026-01-31 10:15:00", "2026-02-28 10:15:00", "2026-03-31 10:15:00"]),
        ("0 15 10 L-2 * ?", ["2026-01-29 10:15:00", "2026-02-26 10:15:00", "2026-03-29 10:15:00"]),
        ("0 15 10 ? * 6L", ["2026-01-30 10:15:00", "2026-02-27 10:15:00", "2026-03-27 10:15:00"]),
        ("0 15 10 ? * 6#3", ["2026-01-16 10:15:00", "2026-02-20 10:15:00", "2026-03-20 10:15:00"]),
        ("0 0 12 1/5 * ?", ["2026-01-01 12:00:00", "2026-01-06 12:00:00", "2026-01-11 12:00:00"]),
        ("0 0 0 ? * 1", ["2026-01-04 00:00:00", "2026-01-11 00:00:00", "2026-01-18 00:00:00"]),
        ("0 0 3 1W * ?", ["2026-01-01 03:00:00", "2026-02-02 03:00:00", "2026-03-02 03:00:00"]),
        ("0 0 3 LW * ?", ["2026-01-30 03:00:00", "2026-02-27 03:00:00", "2026-03-31 03:00:00"]),
        ("0 0 22-1/2 * * ?", ["2026-01-01 00:00:00", "2026-01-01 22:00:00", "2026-01-02 00:00:00"]),
        ("0 0 12 ? * FRI-MON", ["2026-01-02 12:00:00", "2026-01-03 12:00:00", "2026-01-04 12:00:00"]),
        ("0 0 0 29 2 ?", ["2028-02-29 00:00:00", "2032-02-29 00:00:00", "2036-02-29 00:00:00"]),
        ("30 11 11 11 11 ? 2026", ["2026-11-11 11:11:30", None]),
        ("0 0 0 30 2 ?", [None]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_expression_means_what_quartz_says(expression, expected):
    assert times(expression, "2025-12-31T23:59:59") == expected


def test_the_next_time_is_later_than_the_last_one():
    moment = datetime(2026, 1, 1, 0, 15, tzinfo=UTC)
    assert next_time("0 15 * * * ? UTC", moment) == datetime(2026, 1, 1, 1, 15, tzinfo=UTC)
    assert next_time("0 15 * * * ? UTC", moment.replace(minute=14, second=59, microsecond=999_999)) == moment


@pytest.mark.parametrize(
    "expression",
    [
        "60 0 0 * * ?",
        "0 60 0 * * ?",
        "0 0 24 * * ?",
        "0 0 0 32 * ?",
        "0 0 0 0 * ?",
        "0 0 0 * 13 ?",
        "0 0 0 ? * 8",
        "0 0 0 ? * 6#6",
        "0 0 0 ? * WED#",
        "0 0 0 40W * ?",
        "0 0 0 15 * MON",
        "0 0 0 ? * ?",
        "0 0/0 0 * * ?",
        "0 1- 0 * * ?",
        "0 , 0 * * ?",
        "0 *-5 0 * * ?",
        "0 0 0 * * ? 1969",
        "0 0 0 * JAM ?",
    ],
)
def test_what_no_clock_or_calendar_has_is_refused_by_name(expression):
    with pytest.raises(RefusedError, match="cronExpression"):
        parse(expression)
