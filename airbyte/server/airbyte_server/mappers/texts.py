"""A value as the text that mappers hash and compare."""

from typing import Any

from airbyte_server.loader.decoding import encode


def text_of(value: Any) -> str:
    """Strings as they are, everything else as JSON, with sorted keys; ValueError for a number that is out of range."""
    if isinstance(value, str):
        return value
    return encode(_ordered(value))


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _ordered(value[name]) for name in sorted(value)}
    return [_ordered(item) for item in value] if isinstance(value, list) else value
