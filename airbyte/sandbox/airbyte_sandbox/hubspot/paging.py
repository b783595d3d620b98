"""The lists: `limit`, `after`, and `paging.next` with the link to go on."""

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import urlencode

from airbyte_sandbox.hubspot.refusals import invalid
from airbyte_sandbox.schema import Record
from airbyte_sandbox.server.api import Call

_MOST_DIGITS = 18
Item = TypeVar("Item")


def page_of(
    call: Call, items: Sequence[Item], keys: Sequence[int], default: int, most: int
) -> tuple[Sequence[Item], Record]:
    """The page that is asked for, by ascending keys, and what the body says about the next one."""
    limit, after = whole_number(call, "limit", default), call.one("after")
    if not 0 < limit <= most:
        raise invalid(f"Invalid limit: must be between 1 and {most}")
    begin = whole_number(call, "after", 0) if after else 0
    # The next key and not the last one: an object that is removed in between does not matter.
    rest = [place for place, key in enumerate(keys) if key >= begin]
    page = [items[place] for place in rest[:limit]]
    if len(rest) <= limit:
        return page, {}
    following = str(keys[rest[limit]])
    kept = {name: values for name, values in call.query.items() if name != "after"}
    link = f"{call.base_url}{call.path}?{urlencode({**kept, 'after': following}, doseq=True)}"
    return page, {"paging": {"next": {"after": following, "link": link}}}


def whole_number(call: Call, name: str, default: int) -> int:
    """A parameter that has to be a whole number."""
    given = call.one(name)
    if not given:
        return default
    if not given.isdecimal() or len(given) > _MOST_DIGITS:
        raise invalid(f"Invalid {name}: {given[:80]!r} is not a whole number")
    return int(given)


def listed(call: Call, name: str) -> list[str]:
    """A parameter that is repeated or has commas."""
    return [one.strip() for given in call.query.get(name, []) for one in given.split(",") if one.strip()]
