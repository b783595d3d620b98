"""`secret_coordinate::env/NAME` and `secret_coordinate::file/PATH`: secrets that are read when a connector runs."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airbyte_server.errors import PermanentError, RefusedError

PREFIX = "secret_coordinate::"
_LARGEST_FILE = 64 * 1024
_OUR_OWN = "AIRBYTE_SERVER_"

JsonObject = dict[str, Any]


def is_reference(value: object) -> bool:
    """Whether this is a reference to a secret and not one itself."""
    return isinstance(value, str) and value.startswith(PREFIX)


def check_references(configuration: Mapping[str, Any]) -> None:
    """Refuse a reference that could never be resolved here; nothing is read."""
    for name, reference in _references(configuration, ""):
        store, _, place = reference.removeprefix(PREFIX).partition("/")
        if store not in ("env", "file") or not place:
            raise RefusedError(
                f"The secret reference at {name} is not known here; use {PREFIX}env/NAME or {PREFIX}file/PATH."
            )
        if store == "env" and place.startswith(_OUR_OWN):
            raise RefusedError(f"The secret reference at {name} names a setting of the server; use another variable.")


def resolved(configuration: JsonObject, folder: Path | None) -> JsonObject:
    """The configuration with the secrets themselves; `folder` confines and roots the files that may be read."""
    check_references(configuration)
    answer: JsonObject = _resolve(configuration, "", folder)
    return answer


def _references(value: Any, name: str) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [found for key, item in value.items() for found in _references(item, _below(name, key))]
    if isinstance(value, list):
        return [found for place, item in enumerate(value) for found in _references(item, _below(name, str(place)))]
    return [(name, value)] if is_reference(value) else []


def _resolve(value: Any, name: str, folder: Path | None) -> Any:
    if isinstance(value, Mapping):
        return {key: _resolve(item, _below(name, key), folder) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, _below(name, str(place)), folder) for place, item in enumerate(value)]
    if not is_reference(value):
        return value
    store, _, place = value.removeprefix(PREFIX).partition("/")
    return _from_environment(place, name) if store == "env" else _from_file(place, name, folder)


def _below(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key


def _from_environment(variable: str, name: str) -> str:
    value = os.environ.get(variable)
    if not value:
        raise PermanentError(f"Environment variable {variable}, which the configuration names at {name}, is not set.")
    return value


def _from_file(place: str, name: str, folder: Path | None) -> str:
    path = Path(place) if folder is None else (folder / place).resolve()
    what = f"Secret file {place}, which the configuration names at {name},"
    if not path.is_absolute():
        raise PermanentError(f"{what} needs an absolute path, or set AIRBYTE_SERVER_SECRET_DIRECTORY.")
    if folder is not None and not path.is_relative_to(folder.resolve()):
        raise PermanentError(f"{what} is not below AIRBYTE_SERVER_SECRET_DIRECTORY; move it there.")
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise PermanentError(f"{what} cannot be read: {error.strerror}.") from None
    if not content.strip() or len(content) > _LARGEST_FILE:
        raise PermanentError(f"{what} is {'empty' if not content.strip() else 'larger than 64 KiB'}; is it the one?")
    return content.decode(errors="replace").rstrip("\r\n")
