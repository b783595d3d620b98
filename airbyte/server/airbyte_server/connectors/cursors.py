"""Cursor values: numbers, epochs and ISO texts, compared as what they mean."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

Comparable = tuple[str, Any]
"""What kind of value it is, and the value; only values of one kind are ordered."""


def comparable(value: object) -> Comparable | None:
    """A cursor value in comparable form, or None where it has no order (null, true, objects)."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        return "number", value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, datetime):
        return _moment(value)
    return _moment(datetime(value.year, value.month, value.day)) if isinstance(value, date) else None


def _text(value: str) -> Comparable:
    try:
        number = Decimal(value)
    except InvalidOperation:
        pass
    else:
        if number.is_finite():
            return "number", number
    try:
        return _moment(datetime.fromisoformat(value))
    except ValueError:
        return "text", value


def _moment(value: datetime) -> Comparable:
    aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value
    return "moment", aware


class Progress:
    """Which records of an incremental read are new, and how far the read has come."""

    def __init__(self, field: str, since: object) -> None:
        self._field = field
        self._since = comparable(since)
        self.highest = since
        self._highest = self._since

    def reach(self, raw: object) -> None:
        """Take a cursor value into account."""
        value = comparable(raw)
        if value is None:
            return
        if self._highest is None or (value[0] == self._highest[0] and value[1] > self._highest[1]):
            self.highest, self._highest = _plain(raw), value

    def is_new(self, record: Mapping[str, Any]) -> bool:
        """At or after the last read, or of no known order; takes the record into account."""
        raw = record.get(self._field)
        self.reach(raw)
        value = comparable(raw)
        return value is None or self._since is None or value[0] != self._since[0] or bool(value[1] >= self._since[1])


def _plain(raw: object) -> object:
    if isinstance(raw, Decimal):
        return str(raw)
    return raw.isoformat() if isinstance(raw, date) else raw
