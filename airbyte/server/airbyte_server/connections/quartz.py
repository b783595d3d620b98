"""Quartz's cron: six or seven fields from seconds to years, Sunday is 1, and L, W and # for days."""

import calendar
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from airbyte_server.errors import RefusedError

_MONTHS = {"JAN": 1, "FEB": 2, "MAR": 3, "APR": 4, "MAY": 5, "JUN": 6}
_MONTHS |= {"JUL": 7, "AUG": 8, "SEP": 9, "OCT": 10, "NOV": 11, "DEC": 12}
_WEEKDAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
_LAST_YEAR = 2099
_STEPPED = re.compile(r"(?P<first>\*|\w*)(-(?P<last>\w+))?(/(?P<step>\d{1,4}))?")
_OF_MONTH = re.compile(r"(?:L(?:-(?P<before>\d{1,2}))?|(?P<near>\d{1,2}|L)W)")
_OF_WEEK = re.compile(r"(?P<day>\d|[A-Z]{3})(?:(?P<last>L)|#(?P<nth>[1-5]))")

IsDay = Callable[[date], bool]


@dataclass(frozen=True)
class QuartzExpression:
    """When something runs, in UTC."""

    times: Sequence[time]
    months: frozenset[int]
    years: frozenset[int]
    is_day: IsDay

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time later than `moment`; None if there is none any more."""
        earliest = (moment.astimezone(UTC) + timedelta(seconds=1)).replace(microsecond=0)
        for day in self._days(earliest.date()):
            after = earliest.time() if day == earliest.date() else time.min
            found = next((each for each in self.times if each >= after), None)
            if found is not None:
                return datetime.combine(day, found, UTC)
        return None

    def _days(self, first: date) -> Iterator[date]:
        for year in (year for year in sorted(self.years) if year >= first.year):
            for month in sorted(self.months):
                for day in range(1, calendar.monthrange(year, month)[1] + 1):
                    candidate = date(year, month, day)
                    if candidate >= first and self.is_day(candidate):
                        yield candidate


def parse(expression: str) -> QuartzExpression:
    """The expression, without a time zone; RefusedError names the field that Quartz would refuse."""
    fields = expression.upper().split()
    if len(fields) not in (6, 7):
        raise RefusedError("A cronExpression has six or seven fields, e.g. '0 15 * * * ?'.")
    seconds, minutes = (_numbers(name, fields[place], 0, 59) for place, name in enumerate(("seconds", "minutes")))
    hours = _numbers("hours", fields[2], 0, 23)
    return QuartzExpression(
        times=[time(h, m, s) for h in sorted(hours) for m in sorted(minutes) for s in sorted(seconds)],
        months=_numbers("month", fields[4], 1, 12, _MONTHS),
        years=_numbers("year", fields[6] if len(fields) == 7 else "*", 1970, _LAST_YEAR),
        is_day=_days(fields[3], fields[5]),
    )


def _days(of_month: str, of_week: str) -> IsDay:
    if of_week == "?" or (of_week == "*" and of_month != "?"):
        return _any(_day_of_month, of_month)
    if of_month in ("?", "*"):
        return _any(_day_of_week, of_week)
    raise RefusedError("A cronExpression gives the day of the month or of the week; write ? for the other.")


def _any(read: Callable[[str], IsDay], field: str) -> IsDay:
    rules = [read(part) for part in field.split(",")]
    return lambda day: any(rule(day) for rule in rules)


def _day_of_month(text: str) -> IsDay:
    special = _OF_MONTH.fullmatch(text)
    if special is None:
        numbers = _numbers("day of the month", text, 1, 31)
        return lambda day: day.day in numbers
    before, near = int(special["before"] or 0), special["near"]
    if near is None:
        return lambda day: day.day == _last_day(day) - before
    if near != "L" and not 1 <= int(near) <= 31:
        raise _refused("day of the month", text)
    return lambda day: _is_workday_nearest(day, _last_day(day) if near == "L" else int(near))


def _is_workday_nearest(day: date, wanted: int) -> bool:
    """Whether it is the workday nearest to that day of its month, which it never leaves."""
    if wanted > _last_day(day):
        return False
    target = day.replace(day=wanted)
    shift = {5: -1 if wanted > 1 else 2, 6: 1 if wanted < _last_day(day) else -2}.get(target.weekday(), 0)
    return day == target + timedelta(days=shift)


def _day_of_week(text: str) -> IsDay:
    special = _OF_WEEK.fullmatch(text)
    if special is None:
        numbers = _numbers("day of the week", "7" if text == "L" else text, 1, 7, _WEEKDAYS)
        return lambda day: _quartz_weekday(day) in numbers
    (number,) = _numbers("day of the week", special["day"], 1, 7, _WEEKDAYS)
    if special["last"]:
        return lambda day: _quartz_weekday(day) == number and day.day > _last_day(day) - 7
    nth = int(special["nth"])
    return lambda day: _quartz_weekday(day) == number and (day.day - 1) // 7 + 1 == nth


def _numbers(name: str, field: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    """The values of a field; a range whose end is before its begin goes round."""
    found: set[int] = set()
    for part in field.split(","):
        match = _STEPPED.fullmatch(part)
        if match is None or not part or (match["first"] == "" and match["step"] is None):
            raise _refused(name, field)
        step = int(match["step"] or 1)
        if match["first"] in ("*", ""):
            first, last = low, high
            is_wrong = match["last"] is not None
        else:
            first = _value(match["first"], names)
            open_end = high if match["step"] else first
            last = open_end if match["last"] is None else _value(match["last"], names)
            is_wrong = False
        if is_wrong or step < 1 or not (low <= first <= high and low <= last <= high):
            raise _refused(name, field)
        length = (last - first) % (high - low + 1)
        found |= {low + (first - low + each) % (high - low + 1) for each in range(0, length + 1, step)}
    return frozenset(found)


def _value(text: str, names: dict[str, int] | None) -> int:
    if names and text in names:
        return names[text]
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else -1


def _refused(name: str, field: str) -> RefusedError:
    return RefusedError(f"The {name} of the cronExpression, {field[:40]}, is none that cron knows.")


def _last_day(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _quartz_weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1
