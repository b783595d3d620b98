"""Whether a manifest says which fields of a configuration are secrets, and where it sends them."""

import re
from collections.abc import Iterator
from typing import Any

from airbyte_server.secrets.marks import Marks, below, is_marked, marks_of

from airbyte_kit.replay.exchanges import JsonObject

_SECRETS = ("api_token", "password", "client_secret", "refresh_token", "secret_key")
_FIELD = r"(?:\[['\"]\w+['\"]\]|\.get\(['\"]\w+['\"][^)]*\))"
_OF_CONFIGURATION = re.compile(rf"config({_FIELD}+)")
_NAME = re.compile(r"(?:\[|\.get\()['\"](\w+)['\"]")


def problems_of(manifest: JsonObject, specification: JsonObject) -> list[str]:
    """What makes a manifest unfit to be configured: no streams, no specification, or a secret that is not marked."""
    problems = [] if manifest.get("streams") or manifest.get("dynamic_streams") else ["The manifest has no streams."]
    if not specification:
        problems.append("The manifest has no spec, so nobody knows how to configure a source of it.")
        return problems
    marks = marks_of(specification)
    for authenticator in _authenticators(manifest):
        for text in _secret_texts(authenticator):
            paths = [_NAME.findall(found) for found in _OF_CONFIGURATION.findall(text)]
            if paths and not any(_is_secret(path, marks) for path in paths):
                told = ".".join(paths[0])
                problems.append(f"The authenticator sends {told} as a secret: mark it airbyte_secret in the spec.")
    return list(dict.fromkeys(problems))


def puts_key_in_address(manifest: JsonObject) -> bool:
    """Whether an authenticator says that the API wants its key as a parameter of the query."""
    return any(
        isinstance(each.get("inject_into"), dict) and each["inject_into"].get("inject_into") == "request_parameter"
        for each in _authenticators(manifest)
    )


def _authenticators(node: Any) -> Iterator[JsonObject]:
    if isinstance(node, dict):
        if str(node.get("type", "")).endswith("Authenticator"):
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from _authenticators(item)


def _secret_texts(authenticator: JsonObject) -> Iterator[str]:
    for name, value in authenticator.items():
        # Some APIs take the key as the user, without a password.
        if isinstance(value, str) and (name in _SECRETS or (name == "username" and not authenticator.get("password"))):
            yield value


def _is_secret(path: list[str], marks: Marks) -> bool:
    for name in path:
        if is_marked(marks, name):
            return True
        marks = below(marks, name)
    return False
