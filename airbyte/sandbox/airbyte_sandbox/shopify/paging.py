"""Pages of a list as the REST API cuts them: filters on the first, then `page_info` of the `Link` header alone."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from airbyte_sandbox.server.api import ApiError, Call, Reply
from airbyte_sandbox.shopify.rows import Row

_DEFAULT, _MOST = 50, 250
_BESIDE_PAGE_INFO = ("limit", "fields", "page_info")
_SEE = "See https://shopify.dev/api/usage/pagination-rest for more information."
_ORDERS: dict[str, Callable[[Row], Any]] = {
    "id": lambda row: row.id,
    "created_at": lambda row: row.created_at,
    "updated_at": lambda row: row.updated_at,
    "processed_at": lambda row: row.created_at,
}


@dataclass(frozen=True)
class Page:
    """The rows of one page and the `Link` header to those beside it."""

    rows: Sequence[Row]
    link: str | None


def refused(status: int, errors: Any) -> ApiError:
    """What the API says no with."""
    return ApiError(Reply(status, {"errors": errors}))


def cut_page(call: Call, rows: Sequence[Row], defaults: Mapping[str, str]) -> Page:
    """The page that a request asks for; `defaults` are filters and an order that hold where it names none."""
    asked = {name: values[-1] for name, values in call.query.items()}
    limit = _limit(asked.get("limit"))
    place: dict[str, Any] = {}
    if "page_info" in asked:
        place = _opened(asked)
        asked = place["filters"]
    filters = {name: value for name, value in asked.items() if name not in _BESIDE_PAGE_INFO}
    wanted = {**defaults, **filters}
    by, falls = _order(wanted)
    found = sorted(filtered(rows, wanted), key=lambda row: (_ORDERS[by](row), row.id), reverse=falls)
    start = _start(found, place, limit)
    shown = found[start : start + limit]
    sides = [("previous", "prev", shown[0])] if shown and start > 0 else []
    sides += [("next", "next", shown[-1])] if start + limit < len(found) else []
    links = [_link(call, limit, relation, direction, row, filters) for relation, direction, row in sides]
    return Page(shown, ", ".join(links) or None)


def filtered(rows: Sequence[Row], wanted: Mapping[str, str]) -> list[Row]:
    """The rows that the filters of a request leave."""
    tests: list[Callable[[Row], bool]] = []
    for name in ("created_at", "updated_at", "processed_at"):
        tests += _between(name, wanted.get(f"{name}_min"), wanted.get(f"{name}_max"))
    if "since_id" in wanted:
        since = _number("since_id", wanted["since_id"])
        tests.append(lambda row: row.id > since)
    if "ids" in wanted:
        ids = {_number("ids", each) for each in wanted["ids"].split(",") if each}
        tests.append(lambda row: row.id in ids)
    tests += [_is_one_of(name, value) for name, value in wanted.items() if value != "any"]
    return [row for row in rows if all(test(row) for test in tests)]


def _is_one_of(name: str, value: str) -> Callable[[Row], bool]:
    values = value.split(",")
    return lambda row: name not in row.facts or row.facts[name] in values


def _between(name: str, first: str | None, last: str | None) -> list[Callable[[Row], bool]]:
    value = _ORDERS[name]
    tests: list[Callable[[Row], bool]] = []
    if first:
        earliest = _moment(f"{name}_min", first)
        tests.append(lambda row: value(row) >= earliest)
    if last:
        latest = _moment(f"{name}_max", last)
        tests.append(lambda row: value(row) <= latest)
    return tests


def _moment(name: str, text: str) -> datetime:
    try:
        # A plus sign that was not escaped arrives as a space.
        found = datetime.fromisoformat(text.replace(" ", "+", 1) if text.count(":") == 3 else text)
    except ValueError:
        raise refused(400, {name: "invalid date"}) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _number(name: str, text: str) -> int:
    if not text.isdecimal():
        raise refused(400, {name: "expected String to be a id"})
    return int(text)


def _limit(text: str | None) -> int:
    if text is None:
        return _DEFAULT
    if not text.isdecimal() or int(text) < 1:
        raise refused(400, {"limit": "limit must be a number between 1 and 250"})
    return min(int(text), _MOST)


def _order(wanted: Mapping[str, str]) -> tuple[str, bool]:
    if "since_id" in wanted:
        return "id", False
    by, _, direction = wanted.get("order", "id asc").strip().lower().partition(" ")
    if by not in _ORDERS or direction not in ("", "asc", "desc"):
        raise refused(400, {"order": "order is invalid"})
    return by, direction == "desc"


def _opened(asked: Mapping[str, str]) -> dict[str, Any]:
    for name in asked:
        if name not in _BESIDE_PAGE_INFO:
            raise refused(400, {name: f"{name} cannot be passed when page_info is present. {_SEE}"})
    try:
        found = json.loads(base64.urlsafe_b64decode(asked["page_info"]))
        if {"direction", "last_id", "filters"} <= found.keys():
            return dict(found)
    except (ValueError, AttributeError):
        pass
    raise refused(400, {"page_info": "Invalid value."})


def _start(found: Sequence[Row], place: Mapping[str, Any], limit: int) -> int:
    """Where the page begins: beside the row that `page_info` names."""
    if not place:
        return 0
    at = next((index for index, row in enumerate(found) if row.id == place["last_id"]), None)
    if at is None:
        raise refused(400, {"page_info": "Invalid value."})
    return at + 1 if place["direction"] == "next" else max(0, at - limit)


def _link(call: Call, limit: int, relation: str, direction: str, row: Row, filters: Mapping[str, str]) -> str:
    place = {"direction": direction, "last_id": row.id, "filters": dict(filters)}
    info = base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode()
    query = {"limit": limit, **({"fields": call.one("fields")} if call.one("fields") else {}), "page_info": info}
    return f'<{call.base_url}{call.path}?{urlencode(query)}>; rel="{relation}"'
