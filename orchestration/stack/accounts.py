"""The account that PostgreSQL runs under, and what that account can reach."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from analysis.errors import PermanentError

CANDIDATES = ("nobody", "daemon")
SHELL = "/bin/sh"


@dataclass(frozen=True)
class Account:
    """An existing unprivileged account of this machine."""

    name: str
    uid: int
    gid: int


@cache
def server_account() -> Account | None:
    """The account for PostgreSQL, which refuses to run as root; None: the current user is unprivileged already."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        account = _find_account(name)
        if account is not None and _can_become(account):
            return account
    raise PermanentError(
        "PostgreSQL does not run as root and no unprivileged account is usable here; "
        "run as another user or set SLUICE_DATABASE_URL.",
        accounts=CANDIDATES,
    )


def as_account(account: Account | None) -> dict[str, Any]:
    """Arguments for `subprocess` that make a child run under this account."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def can_enter(account: Account | None, directory: Path) -> bool:
    """Whether this account can reach the directory through all of its parents."""
    return _succeeds([SHELL, "-c", 'cd -- "$1"', SHELL, str(directory)], account)


def give(account: Account | None, path: Path) -> None:
    """Make this account the owner of one file or folder."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def _find_account(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(name, entry.pw_uid, entry.pw_gid) if entry.pw_uid != 0 else None


def _can_become(account: Account) -> bool:
    return _succeeds([SHELL, "-c", ":"], account)


def _succeeds(command: list[str], account: Account | None) -> bool:
    try:
        done = subprocess.run(
            command, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, check=False, **as_account(account)
        )
    except OSError:  # the account's id is not mapped in this container, or the program is out of its reach
        return False
    return done.returncode == 0
