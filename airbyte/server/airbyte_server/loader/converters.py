"""A decoded value to the text of one COPY field, per kind of column."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from airbyte_server.loader import temporal
from airbyte_server.loader.columns import Kind
from airbyte_server.loader.decoding import OUT_OF_RANGE, OutOfRange, encode

SERIALIZATION = "DESTINATION_SERIALIZATION_ERROR"
SIZE = "DESTINATION_FIELD_SIZE_LIMITATION"

Converter = Callable[[Any], str]

_BIGINT = range(-(2**63), 2**63)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d{1,6}))?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_LONGEST_NUMBER = 16_000
LONGEST_TEXT = 256 * 1024 * 1024
"""Characters; PostgreSQL's limit of 1 GB divided by the bytes of the longest character."""


class ContradictionError(ValueError):
    """The value is not what the schema says, or larger than its type; `reason` is Airbyte's word for it."""

    def __init__(self, reason: str = SERIALIZATION) -> None:
        super().__init__(reason)
        self.reason = reason


def escape(text: str) -> str:
    """`text` as a field of COPY's text format."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if "\n" in text:
        text = text.replace("\n", "\\n")
    if "\t" in text:
        text = text.replace("\t", "\\t")
    if "\r" in text:
        text = text.replace("\r", "\\r")
    if len(text) > LONGEST_TEXT:
        raise ContradictionError(SIZE)
    return text


def string(value: Any) -> str:
    """Any value as text; what is not a string is its JSON."""
    if type(value) is str:
        return escape(value)
    if type(value) is bool:
        return "true" if value else "false"
    return json(value)


def json(value: Any) -> str:
    """Any value as JSON."""
    try:
        return escape(encode(value))
    except ContradictionError:
        raise
    except ValueError as error:
        raise ContradictionError(SIZE) from error


def json_object(value: Any) -> str:
    """An object as JSON; anything else contradicts."""
    if type(value) is not dict:
        raise _contradiction(value)
    return json(value)


def json_array(value: Any) -> str:
    """An array as JSON; anything else contradicts."""
    if type(value) is not list:
        raise _contradiction(value)
    return json(value)


def boolean(value: Any) -> str:
    """True or false; anything else contradicts."""
    if value is True:
        return "t"
    if value is False:
        return "f"
    raise ContradictionError


def integer(value: Any) -> str:
    """A whole number within bigint, also written as 5.0 or "5"."""
    kind = type(value)
    if kind is not int:
        value = _whole(value, kind)
    if value not in _BIGINT:
        raise ContradictionError(SIZE)
    return str(value)


def _whole(value: Any, kind: type) -> int:
    if kind is float:
        # The digits that were sent, not the nearest double's.
        value = Decimal(repr(value))
    elif kind is str:
        if not _INTEGER.fullmatch(value):
            raise ContradictionError
        value = Decimal(value)
    exact = _decimal_or_contradiction(value)
    if exact.adjusted() > 18:
        raise ContradictionError(SIZE)
    if exact != exact.to_integral_value():
        raise ContradictionError
    return int(exact)


def number(value: Any) -> str:
    """A number PostgreSQL's numeric holds, also written as a string."""
    kind = type(value)
    if kind is float or kind is int:
        return repr(value)
    if kind is str:
        match = _NUMBER.fullmatch(value)
        if match is None:
            raise ContradictionError
        if len(value) > _LONGEST_NUMBER or abs(int(match[1] or 0)) > _LONGEST_NUMBER - len(value):
            raise ContradictionError(SIZE)
        return str(value)
    return str(_decimal_or_contradiction(value))


def _decimal_or_contradiction(value: Any) -> Decimal:
    if type(value) is Decimal:
        return value
    raise _contradiction(value)


def _contradiction(value: Any) -> ContradictionError:
    return ContradictionError(SIZE if type(value) is OutOfRange else SERIALIZATION)


def _temporal(parse: Callable[[str], str]) -> Converter:
    def convert(value: Any) -> str:
        if type(value) is not str:
            raise ContradictionError
        try:
            return parse(value)
        except (ValueError, OverflowError) as error:
            raise ContradictionError from error

    return convert


CONVERTERS: Mapping[Kind, Converter] = {
    "string": string,
    "number": number,
    "integer": integer,
    "boolean": boolean,
    "object": json_object,
    "array": json_array,
    "json": json,
    "date": _temporal(temporal.as_date),
    "timestamptz": _temporal(temporal.as_timestamptz),
    "timestamp": _temporal(temporal.as_timestamp),
    "timetz": _temporal(temporal.as_timetz),
    "time": _temporal(temporal.as_time),
}

__all__ = [
    "CONVERTERS",
    "LONGEST_TEXT",
    "OUT_OF_RANGE",
    "SERIALIZATION",
    "SIZE",
    "ContradictionError",
    "Converter",
    "escape",
]
