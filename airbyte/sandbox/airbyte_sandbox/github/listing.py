"""Lists as the API gives them: filtered, in order, a page at a time, with the addresses of the other pages."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from urllib.parse import urlencode

from airbyte_sandbox.github.lookup import numbered_path
from airbyte_sandbox.github.records import iso
from airbyte_sandbox.github.refusals import invalid
from airbyte_sandbox.schema import Record
from airbyte_sandbox.server.api import Call, Reply

_PAGE, _LONGEST_PAGE = 30, 100
_MOST_DIGITS = 18


def page(call: Call, stream: str, shown: Sequence[Record]) -> Reply:
    """A page of a list; a page beyond the end is empty."""
    size, number = page_asked(call)
    records = call.account.drifted("github", stream, shown[(number - 1) * size : number * size])
    return Reply(200, records, links(call, len(shown)))


def page_asked(call: Call) -> tuple[int, int]:
    """Size and number; a size above 100 is 100, and what is no number counts as not given."""
    return min(_positive(call.one("per_page"), _PAGE), _LONGEST_PAGE), _positive(call.one("page"), 1)


def links(call: Call, count: int) -> dict[str, str]:
    """The Link header, which a list of one page does not have."""
    size, number = page_asked(call)
    last = max(ceil(count / size), 1)
    others = {"prev": min(number - 1, last), "next": number + 1, "last": last, "first": 1}
    if number >= last:
        others = {name: other for name, other in others.items() if name in ("prev", "first")}
    if number <= 1:
        others = {name: other for name, other in others.items() if name in ("next", "last")}
    found = [f'<{_address(call, other)}>; rel="{name}"' for name, other in others.items()]
    return {"Link": ", ".join(found)} if found else {}


def chosen(call: Call, name: str, choices: Sequence[str], resource: str) -> str:
    """A parameter of few values, the first being what holds without it; another value is refused."""
    value = call.one(name) or choices[0]
    if value not in choices:
        raise invalid(resource, name, value)
    return value


def in_state(call: Call, shown: Sequence[Record], resource: str) -> list[Record]:
    """Those that are open, unless closed or all are asked for."""
    state = chosen(call, "state", ("open", "closed", "all"), resource)
    return [one for one in shown if state in ("all", one["state"])]


def since(call: Call, shown: Sequence[Record], field: str, resource: str) -> list[Record]:
    """Those that changed at that moment or later."""
    begin = moment(call, "since", resource)
    return [one for one in shown if not begin or one[field] >= begin]


def moment(call: Call, name: str, resource: str) -> str | None:
    """A moment as records have it."""
    value = call.one(name)
    if not value:
        return None
    try:
        at = datetime.fromisoformat(value.replace(" ", "+"))
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        return iso(at + timedelta(seconds=at.microsecond > 0))
    except (ValueError, OverflowError):
        raise invalid(resource, name, value) from None


def in_order(shown: Sequence[Record], key: Callable[[Record], object], direction: str) -> list[Record]:
    """By that, then by id; both turned around where `direction` is desc."""
    return sorted(shown, key=lambda one: (key(one), one["id"]), reverse=direction == "desc")


def _positive(value: str | None, otherwise: int) -> int:
    return (int(value) if value and value.isdecimal() and len(value) <= _MOST_DIGITS else 0) or otherwise


def _address(call: Call, number: int) -> str:
    """As GitHub writes it: with the number of the repository or the organisation in place of its name."""
    query = {name: values for name, values in call.query.items() if name != "page"} | {"page": [str(number)]}
    return f"{call.base_url}{numbered_path(call)}?{urlencode(query, doseq=True)}"
