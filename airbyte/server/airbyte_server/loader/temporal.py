"""Dates and times of sources as PostgreSQL reads them."""

import re
from datetime import UTC, date, datetime, time, timedelta

_LOOSE = re.compile(
    r"""(?P<year>\d{4})[-/. ](?P<month>\d{1,2}|[A-Za-z]{3})[-/. ](?P<day>\d{1,2})
        (?:[ T](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?)?
        \ ?(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?""",
    re.VERBOSE | re.IGNORECASE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WIDEST_OFFSET = timedelta(hours=15, minutes=59)


def as_timestamptz(text: str) -> str:
    """An instant in UTC; a value without a zone is UTC. Raises ValueError or OverflowError if it is none."""
    moment = _parse(text)
    if moment.tzinfo is None:
        return moment.isoformat() + "+00:00"
    return moment.astimezone(UTC).isoformat()


def as_timestamp(text: str) -> str:
    """A local date and time; a zone is left out, as Airbyte does."""
    return _parse(text).replace(tzinfo=None).isoformat()


def as_date(text: str) -> str:
    """A date; of a date and time the date part."""
    if len(text) == 10:
        return date.fromisoformat(text).isoformat() if text[4] == "-" else _parse(text).date().isoformat()
    return _parse(text).date().isoformat()


def as_timetz(text: str) -> str:
    """A time of day with its offset, UTC where none is given."""
    moment = time.fromisoformat(text)
    offset = moment.utcoffset()
    if offset is None:
        return moment.isoformat() + "+00:00"
    if abs(offset) > _WIDEST_OFFSET:
        raise ValueError("offset out of range")
    return moment.isoformat()


def as_time(text: str) -> str:
    """A time of day; an offset is left out."""
    return time.fromisoformat(text).replace(tzinfo=None).isoformat()


def _parse(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return _parse_loosely(text)


def _parse_loosely(text: str) -> datetime:
    match = _LOOSE.fullmatch(text)
    if match is None:
        raise ValueError("no date and time")
    part = match.groupdict()
    month = part["month"]
    number = int(month) if month.isdigit() else _MONTHS.index(month.lower()) + 1
    clock = f"{int(part['hour'] or 0):02}:{part['minute'] or '00'}:{part['second'] or '00'}"
    fraction = f".{part['fraction'][:6].ljust(6, '0')}" if part["fraction"] else ""
    zone = (part["zone"] or "").upper()
    offset = "+00:00" if zone in {"Z", "UTC", "GMT"} else zone
    return datetime.fromisoformat(f"{part['year']}-{number:02}-{int(part['day']):02}T{clock}{fraction}{offset}")
