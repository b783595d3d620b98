"""Reads the settings of one mapper."""

from collections.abc import Mapping
from typing import Any

from airbyte_server.errors import RefusedError


def text_setting(settings: Mapping[str, Any], name: str, *, may_be_empty: bool = False) -> str:
    """A setting that must be text; otherwise RefusedError with the end of a sentence."""
    value = settings.get(name)
    if not isinstance(value, str) or not (value or may_be_empty):
        raise RefusedError(f"it needs {name}, a text.")
    return value
