"""JSON lines to Python values, without losing a digit and without what PostgreSQL cannot hold."""

import contextlib
import json
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from airbyte_server.loader.nesting import without_too_deep

# A number of 17 characters or an exponent of three digits may be one that a double does not hold.
_ALIKE = {**dict.fromkeys(b"0123456789.", b"0"), **dict.fromkeys(b"eE", b"e")}
_BEFORE_A_NUMBER = b" :,[\t\n\r"
# Everything that no number begins after, holds or ends with is all the same.
_DIGITS = b"".join(_ALIKE.get(byte, bytes((byte,)) if byte in b"-" + _BEFORE_A_NUMBER else b"x") for byte in range(256))
_LONG = b"0" * 17
_TINY = b"0e-000"
_WIDEST = 40
_NUMBER = re.compile(rb"[\d.]+(?:[eE][+-]?\d+)?")
_LARGEST = 131_000
_SMALLEST = -16_000


class OutOfRange:
    """Stands for a number that no PostgreSQL type holds, NaN and the infinities included."""


OUT_OF_RANGE = OutOfRange()


class NotJsonError(ValueError):
    """A line that is not JSON."""


def decode(line: bytes) -> Any:
    """The line's value; numbers a double cannot hold are Decimal or OUT_OF_RANGE, strings hold no NUL or surrogate."""
    try:
        return _decode(line)
    except RecursionError:
        return _decode_exactly(without_too_deep(line))


def _decode(line: bytes) -> Any:
    if _needs_care(line):
        return _decode_exactly(line)
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _decode_exactly(line)
    return _clean(value) if b"\\u0000" in line else value


def decode_all(lines: Sequence[bytes]) -> list[Any]:
    """The value of each line, as `decode` gives it, in less time."""
    text = b"\n".join(lines)
    if b"\\u0000" not in text and not _needs_care(text):
        with contextlib.suppress(orjson.JSONDecodeError):
            return list(map(orjson.loads, lines))
    return list(map(decode, lines))


def _needs_care(text: bytes) -> bool:
    """Whether a number may be one that a double does not hold."""
    digits = text.translate(_DIGITS)
    return _loses_digits(text, digits) or _has_tiny(digits)


def _loses_digits(line: bytes, digits: bytes) -> bool:
    start = digits.find(_LONG)
    while start >= 0:
        match = _NUMBER.match(line, start)
        assert match is not None
        before = line[max(start - 2, 0) : start].removesuffix(b"-")
        if (not before or before[-1] in _BEFORE_A_NUMBER) and not _fits_double(match[0].decode()):
            return True
        start = digits.find(_LONG, match.end())
    return False


def _has_tiny(digits: bytes) -> bool:
    place = digits.find(_TINY)
    while place >= 0:
        before = digits[max(place - _WIDEST, 0) : place].rstrip(b"0").removesuffix(b"-")
        # Many a UUID looks like one, but for what stands before it.
        if not before or before[-1] in _BEFORE_A_NUMBER:
            return True
        place = digits.find(_TINY, place + 1)
    return False


def _fits_double(text: str) -> bool:
    if text.isdigit():
        return len(text) < 20
    try:
        return Decimal(repr(float(text))) == Decimal(text)
    except (ValueError, InvalidOperation):
        return False


def encode(value: Any) -> str:
    """JSON text of a decoded value; raises ValueError where it holds OUT_OF_RANGE."""
    try:
        return orjson.dumps(value, default=_fragment).decode()
    except orjson.JSONEncodeError as error:
        raise ValueError("not representable") from error


def _fragment(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError("not representable")


def _decode_exactly(line: bytes) -> Any:
    try:
        value = json.loads(line, parse_int=_integer, parse_float=_decimal, parse_constant=_constant)
    except ValueError as error:
        raise NotJsonError("not JSON") from error
    # Half a surrogate may be written as three bytes, too, which are no UTF-8 to anybody else.
    return _clean(value) if b"\\u" in line or b"\xed" in line else value


def _integer(text: str) -> int | Decimal | OutOfRange:
    return int(text) if len(text) < 19 else _decimal(text)


def _decimal(text: str) -> int | Decimal | OutOfRange:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return OUT_OF_RANGE
    if not number.is_finite() or number.adjusted() > _LARGEST or int(number.as_tuple().exponent) < _SMALLEST:
        return OUT_OF_RANGE
    return number


def _constant(_name: str) -> OutOfRange:
    return OUT_OF_RANGE


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value


def clean_text(text: str) -> str:
    """Without NUL characters; half a surrogate pair becomes U+FFFD."""
    text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
