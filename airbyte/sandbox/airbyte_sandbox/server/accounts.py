"""The accounts of a sandbox: settings from JSON, kept in a file that is written before a change counts."""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from pydantic import TypeAdapter, ValidationError

from airbyte_sandbox.server.account import Account, yesterday

Settings = dict[str, Any]
_ACCOUNT = TypeAdapter(Account)
_FIELDS = tuple(Account.__dataclass_fields__)
_DAYS = 60


class SettingsError(ValueError):
    """An account's settings are refused; the message is one sentence on which and why."""


def read_account(name: str, given: Mapping[str, Any]) -> Account:
    """An account from its settings; without a start it has 60 days. Wrong ones raise SettingsError."""
    unknown = sorted(given.keys() - set(_FIELDS))
    if unknown:
        raise SettingsError(f"An account has no setting {unknown[0]!r}; known are {', '.join(_FIELDS)}.")
    if given.get("name", name) != name:
        raise SettingsError(f"The account is called {name!r} in the address and {given['name']!r} in its settings.")
    try:
        return _ACCOUNT.validate_python({"start": _start(given), **given, "name": name})
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{where}: {message}" if where else message) from None


def settings_of(account: Account) -> Settings:
    """What `read_account` makes the same account from, as JSON has it."""
    found: Settings = _ACCOUNT.dump_python(account, mode="json")
    return found


class Accounts:
    """Accounts by name, for many threads; without a file they end with the process."""

    def __init__(self, file: Path | None = None, accounts: Iterable[Account] = ()) -> None:
        """A file that is no list of accounts raises SettingsError: it is never overwritten unread."""
        self._file = file
        self._lock = Lock()
        self._accounts = (_read(file) if file else {}) | {account.name: account for account in accounts}

    def all(self) -> list[Account]:
        """Every account, by name."""
        return [account for _, account in sorted(self._accounts.items())]

    def get(self, name: str) -> Account | None:
        """The account of that name."""
        return self._accounts.get(name)

    def change(self, name: str, given: Mapping[str, Any]) -> Account:
        """Create an account or change the settings given; it is in the file when this returns."""
        with self._lock:
            known = self._accounts.get(name)
            account = read_account(name, {**(settings_of(known) if known else {}), **given})
            self._keep({**self._accounts, name: account})
        return account

    def remove(self, name: str) -> bool:
        """Forget an account; False where there was none."""
        with self._lock:
            found = name in self._accounts
            if found:
                self._keep({other: account for other, account in self._accounts.items() if other != name})
        return found

    def _keep(self, accounts: dict[str, Account]) -> None:
        if self._file:
            _write(self._file, accounts.values())
        self._accounts = accounts


@contextmanager
def held(file: Path) -> Iterator[None]:
    """The file is this process's own for the length of the block; SettingsError where another one has it.

    Two that write the same file would each undo what the other has acknowledged.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.with_name(f".{file.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
    except BlockingIOError:
        raise SettingsError(f"{file} is held by another sandbox that runs; stop it or give another file.") from None


def _start(given: Mapping[str, Any]) -> date:
    try:
        last = date.fromisoformat(given.get("end") or "") if given.get("end") else yesterday()
        return last - timedelta(days=_DAYS - 1)
    except (OverflowError, TypeError, ValueError):
        return yesterday()  # what is wrong with the end is said where it is read


def _read(file: Path) -> dict[str, Account]:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            return {}
        kept = json.loads(file.read_text(encoding="utf-8"))["accounts"]
        return {settings["name"]: read_account(settings["name"], settings) for settings in kept}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise SettingsError(f"{file} does not hold accounts of a sandbox ({error}); mend it or give another.") from None


def _write(file: Path, accounts: Iterable[Account]) -> None:
    beside = file.with_name(f".{file.name}.part")
    with beside.open("w", encoding="utf-8") as open_file:
        json.dump({"accounts": [settings_of(account) for account in accounts]}, open_file, indent=1)
        open_file.flush()
        os.fsync(open_file.fileno())
    beside.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
