"""Filters of a report: texts, lists and numbers, joined with and, or and not."""

import re
from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt
from typing import Any

from airbyte_sandbox.ga4.refusals import invalid

Value = str | int | float
Look = Callable[[str], Value | None]
"""The value of a field by its name, None where a filter cannot use it."""
_TEXTS: Mapping[str, Callable[[str, str], bool]] = {
    "EXACT": eq,
    "BEGINS_WITH": str.startswith,
    "ENDS_WITH": str.endswith,
    "CONTAINS": lambda value, part: part in value,
    "FULL_REGEXP": lambda value, pattern: re.fullmatch(pattern, value) is not None,
    "PARTIAL_REGEXP": lambda value, pattern: re.search(pattern, value) is not None,
}
_NUMBERS: Mapping[str, Callable[[float, float], bool]] = {
    "EQUAL": eq,
    "LESS_THAN": lt,
    "LESS_THAN_OR_EQUAL": le,
    "GREATER_THAN": gt,
    "GREATER_THAN_OR_EQUAL": ge,
}


def passes(given: Any, look: Look) -> bool:
    """Whether a row or a view passes a filter expression; no expression passes everything."""
    if not given:
        return True
    match given:
        case {"andGroup": {"expressions": list(parts)}}:
            return all(passes(part, look) for part in parts)
        case {"orGroup": {"expressions": list(parts)}}:
            return any(passes(part, look) for part in parts)
        case {"notExpression": part}:
            return not passes(part, look)
        case {"filter": {"fieldName": str(name), **condition}}:
            value = look(name)
            if value is None:
                raise invalid(f"Field {name} exists in a filter but is not one that this filter can use.")
            try:
                return _fits(condition, value)
            except (ValueError, re.error):
                raise invalid(f"The filter of field {name} does not fit its values.") from None
    raise invalid("A filter has one of andGroup, orGroup, notExpression and filter.")


def _fits(condition: Mapping[Any, Any], value: Value) -> bool:
    match condition:
        case {"stringFilter": {"value": str(wanted), **rest}}:
            kind = str(rest.get("matchType") or "EXACT")
            return _known(_TEXTS, kind)(*_cased(str(value), wanted, rest))
        case {"inListFilter": {"values": list(wanted), **rest}}:
            return any(eq(*_cased(str(value), str(one), rest)) for one in wanted)
        case {"numericFilter": {"value": dict(number), **rest}}:
            return _known(_NUMBERS, str(rest.get("operation")))(float(value), _number(number))
        case {"betweenFilter": {"fromValue": dict(low), "toValue": dict(high)}}:
            return _number(low) <= float(value) <= _number(high)
        case {"emptyFilter": _}:
            return value in ("", "(not set)")
    raise invalid("A filter has one of stringFilter, inListFilter, numericFilter, betweenFilter and emptyFilter.")


def _cased(value: str, wanted: str, rest: Mapping[Any, Any]) -> tuple[str, str]:
    return (value, wanted) if rest.get("caseSensitive") else (value.lower(), wanted.lower())


def _known(choices: Mapping[str, Callable[..., bool]], name: str) -> Callable[..., bool]:
    if name not in choices:
        raise invalid(f"Invalid value {name} in a filter; known are {', '.join(choices)}.")
    return choices[name]


def _number(given: Mapping[Any, Any]) -> float:
    try:
        return float(given.get("int64Value", given.get("doubleValue", 0)))
    except (TypeError, ValueError):
        raise invalid(f"Invalid number in a filter: {given}.") from None
