"""The incremental exports: what changed since a moment, page by page, by cursor or by the last page's end."""

import base64
import binascii
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlencode

from airbyte_sandbox.schema import Record
from airbyte_sandbox.server.api import ApiError, Call, Handler, Reply
from airbyte_sandbox.world import World
from airbyte_sandbox.zendesk_support.numbers import whole_number
from airbyte_sandbox.zendesk_support.records import streams
from airbyte_sandbox.zendesk_support.refusals import START_TOO_RECENT, invalid

_MOST = 1000
_STAMPS = {
    "tickets": "generated_timestamp",
    "users": "updated_at",
    "organizations": "updated_at",
    "ticket_events": "timestamp",
    "ticket_metric_events": "time",
}
Shown = Callable[[Call, Sequence[Record]], list[Record]]
Item = tuple[int, int, Record]
"""Moment of the last change in seconds, id, and the record: in this order they are exported."""


def by_cursor(stream: str, shown: Shown) -> Handler:
    """From `start_time`, then by `cursor`: nothing twice and nothing left out."""

    def handler(call: Call) -> Reply:
        items, size = ordered(call.account.world, stream), _size(call)
        cursor = call.one("cursor")
        after = _decoded(call, cursor) if cursor else (_start(call), -1)
        rest = [item for item in items if item[:2] > after]
        page = rest[:size]
        following = _encoded(*page[-1][:2]) if page else cursor
        asked = {name: values[-1] for name, values in call.query.items() if name not in ("start_time", "cursor")}
        link = f"{call.base_url}{call.path}?{urlencode({**asked, 'cursor': following})}"
        body = {
            stream: shown(call, [record for *_, record in page]),
            "after_url": link if following else None,
            "after_cursor": following,
            "before_url": None,
            "before_cursor": None,
            "end_of_stream": len(rest) <= size,
        }
        return Reply(200, body)

    return handler


def by_time(stream: str, shown: Shown) -> Handler:
    """From `start_time`; `end_time` begins the next page, whose first items were the last of this one."""

    def handler(call: Call) -> Reply:
        start, size = _start(call), _size(call)
        items = [item for item in ordered(call.account.world, stream) if item[0] >= start]
        end = _page_end([item[0] for item in items], start, size)
        last = items[end - 1][0] if end else None
        asked = {name: values[-1] for name, values in call.query.items() if name != "start_time"}
        link = f"{call.base_url}{call.path}?{urlencode({**asked, 'start_time': last})}"
        body = {
            stream: shown(call, [record for *_, record in items[:end]]),
            "count": end,
            "end_time": last,
            "next_page": link if end else None,
            "end_of_stream": end == len(items),
        }
        return Reply(200, body)

    return handler


@lru_cache(maxsize=32)
def ordered(world: World, stream: str) -> tuple[Item, ...]:
    """A stream in the order of its changes."""
    name = _STAMPS[stream]
    items = ((_seconds(record[name]), int(record["id"]), record) for record in streams(world)[stream])
    return tuple(sorted(items, key=lambda item: item[:2]))


def _page_end(moments: Sequence[int], start: int, size: int) -> int:
    """Items of one second stay together, and a page goes further than the second it began with."""
    end = min(size, len(moments))
    while 0 < end < len(moments) and (moments[end] == moments[end - 1] or moments[end - 1] == start):
        end += 1
    return end


def _start(call: Call) -> int:
    start = whole_number(call.one("start_time"))
    if start is None:
        raise invalid(call, "start_time", "an integer")
    if start > time.time() - 60:
        raise ApiError(START_TOO_RECENT)
    return start


def _size(call: Call) -> int:
    size = whole_number(call.one("per_page") or str(_MOST))
    if not size:
        raise invalid(call, "per_page", "an integer")
    return min(size, _MOST)


def _encoded(moment: int, number: int) -> str:
    return base64.b64encode(f"{moment}.0||{number}".encode()).decode()


def _decoded(call: Call, cursor: str) -> tuple[int, int]:
    try:
        moment, number = base64.b64decode(cursor, validate=True).decode().split(".0||")
        return int(moment), int(number)
    except (binascii.Error, ValueError):
        raise invalid(call, "cursor", "a cursor of an earlier page") from None


def _seconds(value: int | str) -> int:
    return value if isinstance(value, int) else int(datetime.fromisoformat(value).timestamp())
