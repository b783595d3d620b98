"""The settings of a source on a command line: `key=value,…`, with dots for nesting, lists, and secrets by variable."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from analysis.errors import PermanentError

Environment = Mapping[str, str]
FROM_ENVIRONMENT = "env:"
LIST = "[]"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_JSON_BEGINS = ("[", "{", '"')


def read_settings(source: str, text: str, environment: Environment | None = None) -> dict[str, Any]:
    """The configuration that `key=value,…` describes; errors name the source and the key, never a value.

    `a.b=x` nests, a repeated key or one that ends in `[]` makes a list, `env:NAME` is the text of that variable; else a
    value is JSON where it reads as JSON (which may hold commas), and text otherwise.
    """
    known = os.environ if environment is None else environment
    configuration: dict[str, Any] = {}
    for key, value in _pairs(source, text):
        _put(source, configuration, key, _resolved(source, key, value, known))
    return configuration


def _pairs(source: str, text: str) -> Iterator[tuple[str, str]]:
    position, number = 0, 0
    while position < len(text):
        number += 1
        comma = text.find(",", position)
        equals = text.find("=", position, comma if comma >= 0 else len(text))
        piece = text[position : comma if comma >= 0 else len(text)].strip()
        if not piece:
            position = comma + 1 if comma >= 0 else len(text)
            continue
        key = text[position:equals].strip() if equals >= 0 else ""
        if not key:
            # The piece may be the rest of a secret that holds a comma: it is told by its number alone.
            raise PermanentError(
                f"Setting {number} of source {source!r} is not key=value; a value that holds commas stands in double"
                " quotes.",
                source=source,
            )
        end = _end(text, equals + 1)
        yield key, text[equals + 1 : end].strip()
        position = end + 1


def _end(text: str, start: int) -> int:
    """Where the value ends that begins here: behind a whole JSON text, else at the next comma."""
    if text.startswith(_JSON_BEGINS, start):
        try:
            _, end = json.JSONDecoder().raw_decode(text, start)
        except ValueError:
            pass
        else:
            if text[end : end + 1] in ("", ","):
                return end
    comma = text.find(",", start)
    return comma if comma >= 0 else len(text)


def _resolved(source: str, key: str, text: str, environment: Environment) -> object:
    if text.startswith(FROM_ENVIRONMENT):
        variable = text.removeprefix(FROM_ENVIRONMENT)
        if not _VARIABLE.fullmatch(variable):
            raise PermanentError(f"Write {key}=env:VARIABLE with the name of a variable.", source=source, setting=key)
        value = environment.get(variable, "")
        if not value:
            raise PermanentError(
                f"The variable {variable}, from which source {source!r} takes {key}, is not set; export it first.",
                source=source,
            )
        return value
    try:
        return json.loads(text)
    except ValueError:
        return text


def _put(source: str, configuration: dict[str, Any], key: str, value: object) -> None:
    path = key.removesuffix(LIST).split(".")
    if not all(path):
        raise PermanentError(f"The setting {key!r} has an empty part; write it as outer.inner=value.", source=source)
    place = configuration
    for part in path[:-1]:
        inner = place.setdefault(part, {})
        if not isinstance(inner, dict):
            raise PermanentError(f"The setting {key!r} nests in {part!r}, which has a value already.", source=source)
        place = inner
    last = path[-1]
    if isinstance(place.get(last), dict):
        raise PermanentError(f"The setting {key!r} has settings below it already; give one of them.", source=source)
    if last not in place:
        place[last] = [value] if key.endswith(LIST) and not isinstance(value, list) else value
    else:
        known = place[last] if isinstance(place[last], list) else [place[last]]
        place[last] = [*known, *(value if isinstance(value, list) else [value])]


def write_settings(configuration: Mapping[str, Any]) -> str:
    """The configuration as `read_settings` reads it back, keys in order."""
    return ",".join(f"{key}={_written(value)}" for key, value in _flat(configuration, ""))


def _flat(configuration: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, object]]:
    for key, value in configuration.items():
        if isinstance(value, Mapping) and value and not any(_is_odd(inner) for inner in value):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _is_odd(key: str) -> bool:
    """Whether a key would be read as something else than a name."""
    return not key or key != key.strip() or any(mark in key for mark in (*".,=", LIST))


def _written(value: object) -> str:
    if isinstance(value, str) and not _is_read_as_other(value):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _is_read_as_other(text: str) -> bool:
    if text != text.strip() or "," in text or text.startswith((FROM_ENVIRONMENT, *_JSON_BEGINS)):
        return True
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
