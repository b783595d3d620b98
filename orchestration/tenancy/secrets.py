"""The control plane's own key, and what is encrypted with it."""

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from analysis.errors import PermanentError
from orchestration.settings import Settings

KEY_FILE = "secret.key"
KEY_VARIABLE = "SLUICE_SECRET_KEY"


class SecretKey:
    """A Fernet key that encrypts and decrypts text and never shows itself."""

    def __init__(self, key: str | bytes) -> None:
        try:
            self._fernet = Fernet(key)
        except ValueError:
            raise PermanentError(f"The secret key is not a Fernet key; restore it or correct {KEY_VARIABLE}.") from None
        self._bytes = key.encode() if isinstance(key, str) else key

    def __repr__(self) -> str:
        return "SecretKey(…)"

    @property
    def fingerprint(self) -> str:
        """What tells this key from another and gives nothing of it away."""
        return self.sign(b"")[:16]

    def sign(self, message: bytes) -> str:
        """A digest of the message that only this key's holder can make."""
        return hmac.new(self._bytes, b"sluice backup\0" + message, hashlib.sha256).hexdigest()

    def reveal(self) -> str:
        """The key itself, for a copy that is kept as safely as the key is."""
        return self._bytes.decode()

    def encrypt(self, plain: str) -> str:
        """The text, encrypted and printable."""
        return self._fernet.encrypt(plain.encode()).decode()

    def decrypt(self, encrypted: str) -> str:
        """The text again; a PermanentError where another key encrypted it."""
        try:
            return self._fernet.decrypt(encrypted.encode()).decode()
        except InvalidToken:
            raise PermanentError(
                f"A stored secret was encrypted with another key; restore {KEY_FILE} or {KEY_VARIABLE}."
            ) from None


def load_key(settings: Settings) -> SecretKey:
    """The key from SLUICE_SECRET_KEY, else from `<home>/secret.key`, made there at first use."""
    given = os.environ.get(KEY_VARIABLE)
    if given:
        return SecretKey(given)
    path = settings.home / KEY_FILE
    if not path.exists():
        _create_key(path)
    return SecretKey(path.read_bytes().strip())


def new_password() -> str:
    """A password that nobody guesses and every URL can carry."""
    return secrets.token_urlsafe(32)


def _create_key(path: Path) -> None:
    """Write a new key whole or not at all; of two processes at once, the first one's key stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()
