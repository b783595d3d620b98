"""Configurations at rest: AES-256-GCM, each bound to the row that it belongs to."""

import base64
import binascii
import os
from collections.abc import Mapping
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from airbyte_server.errors import PermanentError

KEY_BYTES = 32
_PREFIX = b"aes-256-gcm:1:"
_NONCE_BYTES = 12

Configuration = dict[str, Any]


class SecretBox:
    """Seals with one key; what another key or another purpose sealed is an error, never an empty dict."""

    def __init__(self, key: str) -> None:
        try:
            raw = base64.b64decode(key.encode(), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raw = b""
        if len(raw) != KEY_BYTES:
            raise PermanentError(
                "The secret key is none; give 32 random bytes in url-safe base64 as AIRBYTE_SERVER_SECRET_KEY "
                "or in the file that AIRBYTE_SERVER_SECRET_KEY_FILE names."
            )
        # The first version used the same key with Fernet, so AES gets one derived from it.
        self._cipher = AESGCM(HKDF(SHA256(), KEY_BYTES, None, b"airbyte_server aes-256-gcm").derive(raw))
        self._fingerprint_key = HKDF(SHA256(), KEY_BYTES, None, b"airbyte_server fingerprint").derive(raw)
        self._fernet = Fernet(base64.urlsafe_b64encode(raw))

    def seal(self, value: Mapping[str, Any], *, purpose: str) -> bytes:
        """The value as ciphertext that opens for the same purpose only."""
        nonce = os.urandom(_NONCE_BYTES)
        return _PREFIX + nonce + self._cipher.encrypt(nonce, orjson.dumps(value), purpose.encode())

    def open(self, sealed: bytes, *, purpose: str) -> Configuration:
        """The value again; also one that the first version sealed, which knew no purpose."""
        try:
            opened: Configuration = orjson.loads(self._decrypt(bytes(sealed), purpose))
        except (InvalidTag, InvalidToken):
            raise PermanentError(
                "A stored secret cannot be read with this secret key; start the server with the key that wrote it."
            ) from None
        return opened

    def fingerprint(self, value: Any) -> str:
        """A keyed hash of a JSON value, the same for the same value: without the key nobody can guess at it."""
        mac = HMAC(self._fingerprint_key, SHA256())
        mac.update(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))
        return mac.finalize().hex()

    def _decrypt(self, sealed: bytes, purpose: str) -> bytes:
        if not sealed.startswith(_PREFIX):
            return self._fernet.decrypt(sealed)
        nonce_end = len(_PREFIX) + _NONCE_BYTES
        if len(sealed) < nonce_end:
            raise InvalidTag
        return self._cipher.decrypt(sealed[len(_PREFIX) : nonce_end], sealed[nonce_end:], purpose.encode())


def make_key() -> str:
    """A fresh key."""
    return base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()
