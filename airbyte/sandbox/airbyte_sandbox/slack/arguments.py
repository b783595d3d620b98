"""What a method is asked, and the Web API's way to refuse: 200 with `ok` false."""

import base64
import binascii
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from airbyte_sandbox.server.api import ApiError, Call, Reply

Thing = TypeVar("Thing")


def failure(error: str, **more: object) -> Reply:
    """What the API says no with."""
    return Reply(200, {"ok": False, "error": error, **more})


def refused(error: str, **more: object) -> ApiError:
    """The same, to raise."""
    return ApiError(failure(error, **more))


def argument(call: Call, name: str) -> str | None:
    """An argument of the query, or of a POST's form or JSON; an empty one is none."""
    sent = call.body if isinstance(call.body, dict) else {}
    found = call.one(name)
    given = sent.get(name) if found is None else found
    if isinstance(given, bool):
        return "true" if given else "false"
    return str(given) if given not in (None, "") else None


def flag(call: Call, name: str) -> bool:
    """An argument that is on or off, by default off."""
    return (argument(call, name) or "false").lower() in ("true", "1")


def limit(call: Call, otherwise: int, most: int) -> int:
    """How many are asked for; the API gives fewer where that is more than it ever does."""
    given = argument(call, "limit")
    if given is None:
        return otherwise
    if not given.isdecimal():
        raise refused("invalid_limit")
    return min(int(given), most) or otherwise


def moment(call: Call, name: str) -> Decimal | None:
    """A message's moment, exactly; a wrong one is refused under its name."""
    given = argument(call, name)
    if given is None:
        return None
    try:
        found = Decimal(given)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        raise refused(f"invalid_ts_{name}")
    return found


def cut(
    call: Call, things: Sequence[Thing], size: int, kind: str, name: Callable[[Thing], str]
) -> tuple[Sequence[Thing], str]:
    """A page of things, and the cursor of the next: it names the thing which that begins with; none is empty."""
    start, cursor = 0, argument(call, "cursor")
    if cursor:
        wanted = _opened(cursor, kind)
        start = next((place for place, thing in enumerate(things) if name(thing) == wanted), -1)
        if start < 0:
            raise refused("invalid_cursor")
    rest = things[start + size :]
    following = base64.b64encode(f"{kind}:{name(rest[0])}".encode()).decode() if rest else ""
    return things[start : start + size], following


def _opened(cursor: str, kind: str) -> str:
    try:
        found, _, wanted = base64.b64decode(cursor, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        found = wanted = ""
    if found != kind:
        raise refused("invalid_cursor")
    return wanted
