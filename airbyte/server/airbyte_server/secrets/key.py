"""The key of the secrets: from the environment, or from a file that only its owner can read."""

import logging
import os
from pathlib import Path

from airbyte_server.errors import PermanentError
from airbyte_server.secrets.box import make_key
from airbyte_server.settings import ServerSettings

logger = logging.getLogger(__name__)


def load_key(settings: ServerSettings) -> str:
    """The key; a file that is not there yet is made (0600), one that others can read is refused."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    path = settings.secret_key_file.expanduser()
    try:
        if not path.exists():
            _make(path)
        mode = path.stat().st_mode
        if mode & 0o077:
            raise PermanentError(f"Others can read the secret key {path}; run `chmod 600 {path}`.")
        return path.read_text().strip()
    except OSError as error:
        raise PermanentError(f"The secret key {path} cannot be read or made: {error.strerror}.") from None


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(make_key() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)  # of two starts the first one's key stays
        logger.warning("A new secret key was made in %s; keep a copy, without it stored secrets are lost.", path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
