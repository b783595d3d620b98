"""A configuration that points elsewhere must bring its secrets: a stored one is never sent to a new address."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from airbyte_server.errors import RefusedError
from airbyte_server.secrets.marks import NO_MARKS, TEXTS, UNTOLD, Marks, below
from airbyte_server.secrets.masking import can_be_secret, is_secret_field

Path = tuple[str | int, ...]
# Who gets the secret follows from these; a database, schema or user name only says what is asked of that server.
_ADDRESS_NAME = re.compile(
    r"(^|_)(hosts?|hostname|port|ur[li]s?|endpoints?|servers?|brokers?|address(es)?|ip|proxy|tunnel|(sub)?domain|site"
    r"|shop|store|instance|account)(_(name|id|identifier|url|uri|host|port|prefix))?$",
    re.IGNORECASE,
)
_HOST = re.compile(
    r"^(localhost|[\w-]+(\.[\w-]+)*\.[a-z]{2,}|\d{1,3}(\.\d{1,3}){3}|\[?[0-9a-f]*:[0-9a-f:.]+\]?)(:\d+)?$", re.I
)


def refuse_moved(
    what: str, given: Mapping[str, Any], new: Mapping[str, Any], stored: Mapping[str, Any], marks: Marks = NO_MARKS
) -> None:
    """RefusedError where an address changes and a stored secret stays that was not given in clear."""
    before, after, told = dict(_leaves(stored)), dict(_leaves(new)), dict(_leaves(given))
    paths = sorted(after.keys() | before.keys(), key=_named)
    # Where everything counts as secret, what looks like an address still is one.
    of_addresses = NO_MARKS if marks == UNTOLD else marks
    moved = next((path for path in paths if _is_moved(path, before, after, of_addresses)), None)
    if moved is None:
        return
    for path, value in before.items():
        if _is_secret(path, marks) and can_be_secret(value) and after.get(path) == value != told.get(path):
            raise RefusedError(
                f"The {what}'s {_named(moved)} changes: give its {_named(path)} anew; the stored one is not sent there."
            )


def _is_moved(path: Path, before: Mapping[Path, Any], after: Mapping[Path, Any], marks: Marks) -> bool:
    old, new = before.get(path), after.get(path)
    if old == new or _is_secret(path, marks):
        return False
    if any(isinstance(name, str) and _ADDRESS_NAME.search(name) for name in path):
        return True
    return "://" in str(new) or (_HOST.match(str(new)) is not None and _HOST.match(str(old)) is not None)


def _is_secret(path: Path, marks: Marks) -> bool:
    for name in path:
        if isinstance(name, str):
            if is_secret_field(name, marks):
                return True
            marks = below(marks, name)
    return marks is TEXTS


def _named(path: Path) -> str:
    return ".".join(map(str, path))


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    items: Any = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    elif path:
        yield path, value
    for name, item in items:
        yield from _leaves(item, (*path, name))
