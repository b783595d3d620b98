"""Single values: their JSON type and the text that stands for them."""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

LONGEST_TEXT = 80


def json_type(value: Any) -> str:
    """The JSON type of a value that is not null; a number without fraction is an integer."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, Decimal):
        return "integer" if value.is_finite() and value == value.to_integral_value() else "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, Mapping):
        return "object"
    if isinstance(value, datetime):
        return "timestamptz"
    return "date" if isinstance(value, date) else "array"


def observed_type(kinds: Iterable[str]) -> str:
    """One word for all the types seen: `unknown` for none, `mixed` for several that do not fit together."""
    seen = set(kinds)
    if not seen:
        return "unknown"
    if seen == {"integer", "number"}:
        return "number"
    return next(iter(seen)) if len(seen) == 1 else "mixed"


def as_text(value: Any) -> str:
    """The text a value is compared and counted by."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date):
        return value.isoformat()
    try:
        return (
            json.dumps(value, sort_keys=True, default=str) if isinstance(value, Mapping | list | tuple) else str(value)
        )
    except (ValueError, RecursionError):  # an int of more than 4,300 digits, or nesting beyond Python's stack
        return f"<{type(value).__name__} too large to print>"


def shorten(text: str) -> str:
    """A text that is safe to show and store: at most 80 characters, no NUL, no lone surrogates."""
    cut = text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
    return cut.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
