"""`secret_coordinate::env/NAME` and `secret_coordinate::file/PATH`: secrets that are read when a connector runs."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airbyte_server.errors import PermanentError, RefusedError

PREFIX = "secret_coordinate::"
_LARGEST_FILE = 64 * 1024
_NEVER = ("AIRBYTE_SERVER_", "SLUICE_", "DAGSTER_", "PG")
"""Variables of these beginnings hold secrets of the server and of what runs it, whatever the prefix allows."""

JsonObject = dict[str, Any]


class Revealed(str):
    """A secret that the configuration only names, read; it stays one wherever it stands."""

    __slots__ = ()


@dataclass(frozen=True)
class SecretPlaces:
    """Where references may lead: files below one folder, variables of one prefix."""

    folder: Path
    variable_prefix: str

    def allows_variable(self, name: str) -> bool:
        """Whether a configuration may name this variable of the environment."""
        return name.startswith(self.variable_prefix) and not name.startswith(_NEVER)


def is_reference(value: object) -> bool:
    """Whether this is a reference to a secret and not one itself."""
    return isinstance(value, str) and value.startswith(PREFIX)


def holds_reference(value: Any) -> bool:
    """Whether there is a reference anywhere in it."""
    return bool(_references(value, ""))


def check_references(configuration: Mapping[str, Any], places: SecretPlaces) -> None:
    """Refuse a reference that could never be resolved here; nothing is read."""
    for name, reference in _references(configuration, ""):
        store, _, place = reference.removeprefix(PREFIX).partition("/")
        if store not in ("env", "file") or not place or "\0" in place:
            raise RefusedError(
                f"The secret reference at {name} is not known here; use {PREFIX}env/NAME or {PREFIX}file/PATH."
            )
        if store == "env" and not places.allows_variable(place):
            raise RefusedError(
                f"The secret reference at {name} names a variable that no connector may read; "
                f"use one whose name begins with {places.variable_prefix}."
            )


def resolved(configuration: JsonObject, places: SecretPlaces) -> JsonObject:
    """The configuration with the secrets themselves, each `Revealed`; what is not in its place is not read."""
    check_references(configuration, places)
    answer: JsonObject = _resolve(configuration, "", places.folder)
    return answer


def _references(value: Any, name: str) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [found for key, item in value.items() for found in _references(item, _below(name, key))]
    if isinstance(value, list):
        return [found for place, item in enumerate(value) for found in _references(item, _below(name, str(place)))]
    return [(name, value)] if is_reference(value) else []


def _resolve(value: Any, name: str, folder: Path) -> Any:
    if isinstance(value, Mapping):
        return {key: _resolve(item, _below(name, key), folder) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, _below(name, str(place)), folder) for place, item in enumerate(value)]
    if not is_reference(value):
        return value
    store, _, place = value.removeprefix(PREFIX).partition("/")
    return Revealed(_from_environment(place, name) if store == "env" else _from_file(place, name, folder))


def _below(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key


def _from_environment(variable: str, name: str) -> str:
    value = os.environ.get(variable)
    if not value:
        raise PermanentError(f"Environment variable {variable}, which the configuration names at {name}, is not set.")
    return value


def _from_file(place: str, name: str, folder: Path) -> str:
    what = f"Secret file {place}, which the configuration names at {name},"
    try:
        path = (folder / place).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise PermanentError(f"{what} is not below AIRBYTE_SERVER_SECRET_DIRECTORY; move it there.")
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise PermanentError(f"{what} cannot be read: {error.strerror}.") from None
    except RuntimeError:  # what `resolve` makes of links in a ring
        raise PermanentError(f"{what} cannot be read: its links lead in a ring.") from None
    if not content.strip() or len(content) > _LARGEST_FILE:
        raise PermanentError(f"{what} is {'empty' if not content.strip() else 'larger than 64 KiB'}; is it the one?")
    return content.decode(errors="replace").rstrip("\r\n")
