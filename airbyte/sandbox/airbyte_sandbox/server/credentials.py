"""Where requests carry their keys, and which key is whose."""

import base64
from collections.abc import Mapping
from functools import lru_cache
from random import Random

from airbyte_sandbox.server.account import Account
from airbyte_sandbox.server.api import ToolApi
from airbyte_sandbox.world import token


def key_of(account: Account, api: ToolApi) -> str:
    """The account's key at a tool: the same on every machine, another one for another name or seed."""
    return _key(account.name, account.seed, api.name, api.key_prefix)


@lru_cache(maxsize=1024)
def _key(name: str, seed: int, tool: str, prefix: str) -> str:
    # No secret: whoever is on this machine may ask for it, and it opens made-up data.
    return token(Random(f"{name}/{seed}/{tool}"), prefix, 24)  # noqa: S311


def bearer(headers: Mapping[str, str], path: str) -> str | None:
    """The token of `Authorization: Bearer …`, None where there is none."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() or None if scheme.lower() == "bearer" else None


def basic(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """User and password of `Authorization: Basic …`, None where there are none."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (user, password) if colon else None
