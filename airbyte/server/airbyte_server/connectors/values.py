"""Values of files that are not JSON there, as JSON."""

import base64
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from airbyte_server.loader.columns import Kind, kind_of

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)


def as_json(record: Mapping[str, Any]) -> bytes:
    """JSON text of a record; bytes become base64, durations seconds, other values their text."""
    return orjson.dumps(record, default=_plain)


def text_parsers(json_schema: Mapping[str, Any]) -> dict[str, Callable[[str], Any]]:
    """Field → how its text becomes the JSON value that the schema declares; text that is none stays text."""
    kinds = {name: kind_of(schema) for name, schema in (json_schema.get("properties") or {}).items()}
    return {name: _PARSERS[kind] for name, kind in kinds.items() if kind in _PARSERS}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value)) if value.is_finite() else None
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value)


def _number(text: str) -> Any:
    # The digits stay as they are written.
    return orjson.Fragment(text) if _NUMBER.fullmatch(text) else text


def _boolean(text: str) -> Any:
    return {"true": True, "false": False}.get(text.lower(), text)


def _nested(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


_PARSERS: Mapping[Kind, Callable[[str], Any]] = {
    "integer": _number,
    "number": _number,
    "boolean": _boolean,
    "object": _nested,
    "array": _nested,
}
