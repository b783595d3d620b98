"""Where the API is: the document's first server, its variables as fields of the configuration."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from airbyte_kit.openapi import words
from airbyte_kit.openapi.document import Document, Json


@dataclass(frozen=True)
class Server:
    """A base URL."""

    url: str | None
    """As a template over the configuration, None where the document names no host."""
    path: str
    """What stands between the host and the API's paths."""
    fields: Mapping[str, Json] = field(default_factory=dict)
    """The variables."""
    others: tuple[str, ...] = ()


def server_of(document: Document) -> Server:
    """The first server with https, else the first."""
    listed = document.content.get("servers")
    written = [document.resolve(each) for each in listed] if isinstance(listed, list) else []
    usable = [each for each in written if isinstance(each.get("url"), str) and words.is_plain(each["url"])]
    if not usable:
        return Server(None, "")
    chosen = next((each for each in usable if each["url"].startswith("https://")), usable[0])
    variables = chosen.get("variables")
    known = {
        name: document.resolve(each)
        for name, each in (variables.items() if isinstance(variables, Mapping) else ())
        if words.snake(name)
    }
    url = chosen["url"].rstrip("/")
    others = tuple(each["url"] for each in usable if each is not chosen)[:5]
    concrete = _filled(url, {name: str(each.get("default") or name) for name, each in known.items()})
    parts = urlsplit(concrete)
    if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
        return Server(None, parts.path.rstrip("/") if url.startswith("/") else "", {}, others)
    fields = {words.configured(name): _field(name, each) for name, each in known.items() if f"{{{name}}}" in url}
    return Server(_template(url, known), parts.path.rstrip("/"), fields, others)


def _filled(url: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{([^{}]*)\}", lambda found: values.get(found[1], found[1]), url)


def _template(url: str, known: Mapping[str, Json]) -> str:
    """The URL as a Jinja expression."""
    pieces = re.split(r"\{([^{}]*)\}", url)
    written = [
        _variable(piece, known[piece]) if number % 2 and piece in known else _quoted(piece)
        for number, piece in enumerate(pieces)
        if piece
    ]
    return " ~ ".join(written)


def _variable(name: str, variable: Mapping[str, Any]) -> str:
    field, default = words.configured(name), str(variable.get("default") or "")
    if not default or not words.is_plain(default):
        return f"config['{field}']"
    return f"(config.get('{field}') or {_quoted(default)})"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "").replace("'", "%27") + "'"


def _field(name: str, variable: Mapping[str, Any]) -> Json:
    described = " ".join(str(variable.get("description") or f"Part of the API's address: {name}.").split())[:300]
    written: Json = {"type": "string", "title": name, "description": described}
    choices = variable.get("enum")
    if isinstance(choices, list) and choices:
        written["enum"] = [str(each) for each in choices]
    default = str(variable.get("default") or "")
    if default and words.is_plain(default):
        written["default"] = default
    return written
