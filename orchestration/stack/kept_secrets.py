"""Secrets that are made once and kept under the home, readable by their owner alone."""

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from analysis.errors import PermanentError

FOLDER = "secrets"


def make_password() -> str:
    """A random password that needs no quoting in a URL, a shell or a connection string."""
    return secrets.token_hex(24)


def keep_secret(path: Path, make: Callable[[], str] = make_password) -> str:
    """The secret in this file, made and written (0600, whole or not at all) when the file is absent."""
    if not path.exists():
        _write_once(path, make())
    value = path.read_text().strip()
    if not value:
        raise PermanentError("A secret file is empty; restore it from a backup or remove it.", path=str(path))
    return value


def keep_named_secret(home: Path, name: str, make: Callable[[], str] = make_password) -> str:
    """The secret of this name in the home's folder of secrets."""
    return keep_secret(home / FOLDER / name, make)


def _write_once(path: Path, value: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(value + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)  # of two writers the first one's value stays
    except FileExistsError:
        pass
    finally:
        Path(fresh).unlink()
