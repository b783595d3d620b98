"""Secrets: encrypted at rest, masked in answers, scrubbed from sentences."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken

from airbyte_server.errors import PermanentError

MASK = "**********"
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|credential|private|api_?key|access_?key|authorization", re.IGNORECASE
)
_URL_PASSWORD = re.compile(r"(://[^\s:/@]*:)[^\s@]+(@)")
_SHORTEST_SECRET = 4

Configuration = dict[str, Any]


class SecretBox:
    """Encrypts configurations with one Fernet key; what another key wrote is an error, never an empty dict."""

    def __init__(self, key: str) -> None:
        try:
            self._fernet = Fernet(key)
        except ValueError:
            raise PermanentError("AIRBYTE_SERVER_SECRET_KEY is no Fernet key; give 32 url-safe base64 bytes.") from None

    def seal(self, configuration: Mapping[str, Any]) -> bytes:
        """The configuration as ciphertext."""
        return self._fernet.encrypt(orjson.dumps(configuration))

    def open(self, sealed: bytes, *, max_age_seconds: int | None = None) -> Configuration:
        """The configuration again; `max_age_seconds` refuses what was sealed longer ago."""
        try:
            opened: Configuration = orjson.loads(self._fernet.decrypt(sealed, ttl=max_age_seconds))
        except InvalidToken:
            raise PermanentError(
                "A stored secret cannot be read with this AIRBYTE_SERVER_SECRET_KEY; start the server with the key "
                "that wrote it."
            ) from None
        return opened


def masked(value: Any, *, secret: bool = False) -> Any:
    """The configuration with every secret replaced by asterisks; names decide, also for what is below them."""
    if isinstance(value, dict):
        return {name: masked(item, secret=secret or is_secret_name(name)) for name, item in value.items()}
    if isinstance(value, list):
        return [masked(item, secret=secret) for item in value]
    return MASK if secret and _can_be_secret(value) else value


def unmasked(new: Any, stored: Any) -> Any:
    """The new configuration, where a mask that came back from a client means the stored value."""
    if isinstance(new, dict):
        known = stored if isinstance(stored, dict) else {}
        return {name: unmasked(item, known.get(name)) for name, item in new.items()}
    if new == MASK and stored is not None:
        return stored
    return new


def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret."""
    return _SECRET_NAME.search(name) is not None


def secrets_in(value: Any, *, secret: bool = False) -> list[str]:
    """Every secret text of a configuration, longest first, so that scrubbing leaves no half of one."""
    return sorted(set(_walk(value, secret)), key=len, reverse=True)


def _walk(value: Any, secret: bool) -> Iterable[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _walk(item, secret or is_secret_name(name))
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item, secret)
    elif secret and _can_be_secret(value) and len(str(value)) >= _SHORTEST_SECRET:
        yield str(value)


def _can_be_secret(value: Any) -> bool:
    return value is not None and not isinstance(value, bool) and value != ""


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets, and without any password of a URL."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return _URL_PASSWORD.sub(rf"\1{MASK}\2", text)
