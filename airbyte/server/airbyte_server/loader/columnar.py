"""A column of decoded values to fields of COPY's text format at once, where nothing about them is unusual."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from itertools import product
from typing import Any

import orjson

from airbyte_server.loader.columns import Kind
from airbyte_server.loader.converters import LONGEST_TEXT, ContradictionError, escape

ColumnConverter = Callable[[Sequence[Any]], Sequence[str] | None]
"""Values, none of them None, to fields; None where a value needs a look of its own."""

_BETWEEN = orjson.Fragment(b"\n")
_BOOLEANS = {True: "t", False: "f"}
_NONE = type(None)
_BEYOND_BIGINT = 2**63
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_FRACTIONS = (b"", *(b"." + b"0" * digits for digits in range(1, 7)))
_CLOCKS = frozenset(b"00:00:00" + fraction for fraction in _FRACTIONS)
_MOMENTS = frozenset(b"0000-00-00" + between + clock for between, clock in product((b"T", b" "), _CLOCKS))
_DATES = frozenset((b"0000-00-00",))
_UTC = (b"", b"Z")
_OFFSETS = (b"+00:00", b"-00:00")
_LONGEST_OFFSET = "15:59"


def fields(kind: Kind, values: Sequence[Any], null: str) -> Sequence[str] | None:
    """The fields of a column's values, `null` for None; None where a value needs a look of its own."""
    convert = _CONVERTERS[kind]
    if kind in _TEXTS:
        # Joining them tells whether all are strings.
        with contextlib.suppress(TypeError):
            return convert(values)
    types = set(map(type, values))
    if _NONE not in types:
        return convert(values) if types <= _TYPES[kind] else None
    if len(types) == 1:
        return [null] * len(values)
    if not types - {_NONE} <= _TYPES[kind]:
        return None
    converted = convert([value for value in values if value is not None])
    if converted is None:
        return None
    following = iter(converted)
    return [null if value is None else next(following) for value in values]


def _strings(values: Sequence[str]) -> Sequence[str] | None:
    # No decoded string holds NUL, so it may stand between them.
    joined = "\0".join(values)
    try:
        escaped = escape(joined)
    except ContradictionError:  # too long together
        return None
    return values if escaped is joined else escaped.split("\0")


def _json(values: Sequence[Any]) -> Sequence[str] | None:
    # One call for all of them, with what JSON's text never holds in between.
    mixed: list[Any] = [_BETWEEN] * (2 * len(values) - 1)
    mixed[::2] = values
    try:
        text = orjson.dumps(mixed)[1:-1]
    except TypeError:  # a number of more digits than a double's
        return None
    if len(text) > LONGEST_TEXT:
        return None
    return (text.replace(b"\\", b"\\\\") if b"\\" in text else text).decode().split(",\n,")


def _booleans(values: Sequence[bool]) -> Sequence[str]:
    return list(map(_BOOLEANS.__getitem__, values))


def _integers(values: Sequence[int]) -> Sequence[str] | None:
    return _numbers(values) if max(values) < _BEYOND_BIGINT else None


def _numbers(values: Sequence[float]) -> Sequence[str] | None:
    try:
        return orjson.dumps(values)[1:-1].decode().split(",")
    except TypeError:  # an integer of more than 64 bits
        return None


def _temporal(parse: Callable[[str], object], bare: frozenset[bytes], zones: Sequence[bytes]) -> ColumnConverter:
    """PostgreSQL reads these shapes as Python does; Python has looked whether there is such a day and hour."""
    shapes = frozenset(one + zone for one, zone in product(bare, zones))
    offsets = _OFFSETS if b"Z" in zones else ()
    with_offset = shapes.union(one + offset for one, offset in product(bare, offsets))

    def convert(values: Sequence[str]) -> Sequence[str] | None:
        text = "\n".join(values)
        found = set(text.encode().translate(_DIGITS).split(b"\n"))
        if not found <= shapes and not (found <= with_offset and _have_room(values, text)):
            return None
        try:
            list(map(parse, values))
        except ValueError:
            return None
        return values

    return convert


def _have_room(values: Sequence[str], text: str) -> bool:
    """No offset is larger than PostgreSQL's largest, or leads out of the years that Python knows."""
    if text.count("+00:00") == len(values):
        return True
    offsets = {value[-5:] for value in values if value[-6] in "+-"}
    return max(offsets, default="") <= _LONGEST_OFFSET and min(values) >= "0002" and max(values) < "9999"


_CONVERTERS: Mapping[Kind, ColumnConverter] = {
    "string": _strings,
    "number": _numbers,
    "integer": _integers,
    "boolean": _booleans,
    "object": _json,
    "array": _json,
    "json": _json,
    "date": _temporal(date.fromisoformat, _DATES, (b"",)),
    "timestamptz": _temporal(datetime.fromisoformat, _MOMENTS, _UTC),
    "timestamp": _temporal(datetime.fromisoformat, _MOMENTS, (b"",)),
    "timetz": _temporal(time.fromisoformat, _CLOCKS, _UTC),
    "time": _temporal(time.fromisoformat, _CLOCKS, (b"",)),
}
_TYPES: Mapping[Kind, frozenset[type]] = {
    "string": frozenset((str,)),
    "number": frozenset((int, float)),
    "integer": frozenset((int,)),
    "boolean": frozenset((bool,)),
    "object": frozenset((dict,)),
    "array": frozenset((list,)),
    "json": frozenset((str, int, float, bool, dict, list)),
    **dict.fromkeys(("date", "timestamptz", "timestamp", "timetz", "time"), frozenset((str,))),
}
_TEXTS = frozenset(kind for kind, types in _TYPES.items() if types == {str})
