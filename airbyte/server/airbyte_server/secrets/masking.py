"""Secrets out of sight: masked in answers, scrubbed from sentences and logs."""

import base64
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

import orjson

from airbyte_server.secrets.marks import NO_MARKS, TEXTS, Marks, below, is_marked
from airbyte_server.secrets.references import Revealed, is_reference

MASK = "**********"
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase|code)?$|pwd$|secret|token|credential|private|(api|access|account|client|ssh|shared)_?key"
    r"|authorization|cookie|connection_?string|dsn$|jdbc_url_params|webhook|^key$",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(r"(://[^\s:/@]*:)[^\s@]+(@)")
_SHORTEST_SECRET = 4


def masked(value: Any, *, secret: bool = False, marks: Marks = NO_MARKS) -> Any:
    """The configuration with every secret replaced by asterisks; names and marks decide, for what is below them too."""
    if isinstance(value, dict):
        return {
            name: masked(item, secret=secret or is_secret_field(name, marks), marks=below(marks, name))
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [masked(item, secret=secret, marks=marks) for item in value]
    if (secret or _is_marked_text(value, marks)) and can_be_secret(value):
        return MASK
    return _without_url_password(value) if isinstance(value, str) else value


def unmasked(new: Any, stored: Any, *, secret: bool = False, marks: Marks = NO_MARKS) -> Any:
    """The new configuration, where what a client read masked and sent back means the stored value."""
    if stored is not None and new == masked(stored, secret=secret, marks=marks):
        return stored
    if isinstance(new, dict):
        known = stored if isinstance(stored, dict) else {}
        return {
            name: unmasked(
                item,
                known.get(name),
                secret=secret or is_secret_field(name, marks),
                marks=below(marks, name),
            )
            for name, item in new.items()
        }
    if isinstance(new, list) and isinstance(stored, list):
        return [
            unmasked(item, stored[place] if place < len(stored) else None, secret=secret, marks=marks)
            for place, item in enumerate(new)
        ]
    return new


def is_secret_field(name: str, marks: Marks) -> bool:
    """Whether a field holds a secret, by its name or because its connector says so."""
    return is_marked(marks, name) or _SECRET_NAME.search(name) is not None


def secrets_in(value: Any, *, marks: Marks = NO_MARKS) -> list[str]:
    """Every secret text of a configuration, named or marked so or read from a reference, also as URLs, JSON and headers
    write it; longest first, so that no half of one is left.
    """
    found = {form for secret in _walk(value, False, marks) for form in _forms(secret)}
    return sorted(found, key=lambda form: (-len(form), form))


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets, and without any password of a URL."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return _without_url_password(text)


def _walk(value: Any, secret: bool, marks: Marks) -> Iterable[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _walk(item, secret or is_secret_field(name, marks), below(marks, name))
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item, secret, marks)
    elif (
        (secret or isinstance(value, Revealed) or _is_marked_text(value, marks))
        and can_be_secret(value)
        and len(str(value)) >= _SHORTEST_SECRET
    ):
        yield str(value)


def _is_marked_text(value: Any, marks: Marks) -> bool:
    return marks is TEXTS and isinstance(value, str)


def _forms(secret: str) -> Iterable[str]:
    encoded = secret.encode(errors="replace")
    yield secret
    yield from (quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace"))
    yield from (orjson.dumps(encoded.decode()).decode()[1:-1], json.dumps(secret)[1:-1], repr(secret)[1:-1])
    yield from (encode(encoded).decode().rstrip("=") for encode in (base64.b64encode, base64.urlsafe_b64encode))
    yield from (line for line in secret.splitlines() if len(line) >= 16)  # a private key, logged line by line


def can_be_secret(value: Any) -> bool:
    """Whether there is anything to hide: not in a switch, an empty text or a reference."""
    return value is not None and not isinstance(value, bool) and value != "" and not is_reference(value)


def _without_url_password(text: str) -> str:
    return _URL_PASSWORD.sub(rf"\1{MASK}\2", text)
