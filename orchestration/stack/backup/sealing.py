"""How the embedded Airbyte seals a configuration: what a restore needs to change the key and the warehouse in it.

The server applies the same rule; neither package may import the other, so a test holds them equal.
"""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from analysis.errors import PermanentError

_PREFIX = b"aes-256-gcm:1:"
_NONCE_BYTES = 12


class Seal:
    """Opens and closes configurations with one key; `owner` is the id of the row that one belongs to."""

    def __init__(self, key: str) -> None:
        raw = base64.urlsafe_b64decode(key)
        self._cipher = AESGCM(HKDF(SHA256(), 32, None, b"airbyte_server aes-256-gcm").derive(raw))
        self._fernet = Fernet(key)

    def close(self, plain: bytes, owner: str) -> bytes:
        """The ciphertext, for this owner alone."""
        nonce = os.urandom(_NONCE_BYTES)
        return _PREFIX + nonce + self._cipher.encrypt(nonce, plain, owner.encode())

    def open(self, sealed: bytes, owner: str) -> bytes:
        """The configuration's JSON; a PermanentError where another key sealed it. Older ones know no owner."""
        try:
            if not sealed.startswith(_PREFIX):
                return self._fernet.decrypt(sealed)
            nonce, text = sealed[len(_PREFIX) :][:_NONCE_BYTES], sealed[len(_PREFIX) + _NONCE_BYTES :]
            return self._cipher.decrypt(nonce, text, owner.encode())
        except (InvalidTag, InvalidToken, ValueError):
            raise PermanentError("The backup's Airbyte key does not open its configurations; take another.") from None
