"""Reads an OpenAPI document from a file; what is too large, too deep or never ends is refused in one sentence."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from airbyte_kit.errors import KitError

LARGEST_MIB = 32
MOST_NODES = 2_000_000
DEEPEST = 100


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML's core schema, which OpenAPI asks for: `on`, `1:30` and `2020-01-01` are texts."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as the base has it


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), list(_first))
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(node)))


def read_document(path: Path) -> dict[str, Any]:
    """The document as JSON values with texts as keys; KitError says what is wrong with the file."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_MIB * 1024 * 1024 + 1)
    except OSError as error:
        raise KitError(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) > LARGEST_MIB * 1024 * 1024:
        raise KitError(f"{path.name} is larger than {LARGEST_MIB} MiB; cut it down to the paths that are wanted.")
    try:
        document = _parse(content, path.name)
    except RecursionError:
        raise _too_deep(path.name) from None
    if not isinstance(document, dict):
        raise KitError(f"{path.name} holds no object, so it is no OpenAPI document.")
    return document


def _parse(content: bytes, name: str) -> Any:
    try:
        text = content.decode("utf-8-sig")
        if text.lstrip().startswith("{"):
            return _plain(json.loads(text), name)
    except UnicodeDecodeError:
        raise KitError(f"{name} is not UTF-8 text.") from None
    except json.JSONDecodeError:
        pass  # YAML may begin with a brace too
    except ValueError:
        raise KitError(f"{name} has a number that is too long to read.") from None
    try:
        _measure(text, name)
        return _plain(yaml.load(text, Loader=_Loader), name)  # noqa: S506 - a safe loader with fewer types
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f" in line {place.line + 1}" if place else ""
        raise KitError(f"{name} is neither JSON nor YAML: {getattr(error, 'problem', None)}{line}.") from None
    except ValueError:
        raise KitError(f"{name} has a value that cannot be read as what YAML says it is.") from None


def _measure(text: str, name: str) -> None:
    """Counts what aliases stand for before anything is built, for a few lines of YAML can stand for billions."""
    sizes: dict[str | None, int | None] = {}
    opened: list[tuple[str | None, int]] = []
    total = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            size = sizes.get(event.anchor)
            if size is None:
                raise KitError(f"{name} has an alias *{event.anchor} that leads back to itself.")
            total += size
        elif isinstance(event, yaml.CollectionStartEvent):
            opened.append((event.anchor, total))
            sizes[event.anchor] = None
            total += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = opened.pop()
            sizes[anchor] = total - before
        elif isinstance(event, yaml.ScalarEvent):
            sizes[event.anchor] = 1
            total += 1
        _bound(name, len(opened), total)


def _bound(name: str, depth: int, total: int) -> None:
    if depth > DEEPEST:
        raise _too_deep(name)
    if total > MOST_NODES:
        raise _too_many(name)


def _plain(value: Any, name: str) -> Any:
    """JSON values alone, with texts as keys (YAML reads the status 200 as a number)."""
    count = 0

    def walk(node: Any, depth: int) -> Any:
        nonlocal count
        count += 1
        _bound(name, depth, count)
        if isinstance(node, dict):
            return {_key(key): walk(item, depth + 1) for key, item in node.items()}
        if isinstance(node, list):
            return [walk(item, depth + 1) for item in node]
        return node if node is None or isinstance(node, str | int | float | bool) else str(node)

    return walk(value, 0)


def _key(key: Any) -> str:
    return key if isinstance(key, str) else json.dumps(key, default=str)


def _too_deep(name: str) -> KitError:
    return KitError(f"{name} is more than {DEEPEST} levels deep, which no API description needs.")


def _too_many(name: str) -> KitError:
    return KitError(f"{name} has more than {MOST_NODES:,} values; cut it down to the paths that are wanted.")
