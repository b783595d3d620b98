"""The lists: pages by cursor where `page[size]` is given, else by number."""

import base64
import binascii
from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from airbyte_sandbox.schema import Record
from airbyte_sandbox.server.api import Call, Handler, Reply
from airbyte_sandbox.zendesk_support.numbers import whole_number
from airbyte_sandbox.zendesk_support.refusals import invalid, invalid_page

TOOL = "zendesk-support"
_MOST = 100
Records = Callable[[Call], Sequence[Record]]


def listing(stream: str, records: Records, name: str | None = None, key: str = "id") -> Handler:
    """A list of a stream's records under `name`, drifted as that stream."""

    def handler(call: Call) -> Reply:
        found = records(call)
        given = any(parameter.startswith("page[") for parameter in call.query)
        page, about = _by_cursor(call, found, key) if given else _by_number(call, found)
        return Reply(200, {name or stream: call.account.drifted(TOOL, stream, page), **about})

    return handler


def whole(stream: str, records: Records) -> Handler:
    """A list that knows no pages."""

    def handler(call: Call) -> Reply:
        page = call.account.drifted(TOOL, stream, records(call))
        return Reply(200, {stream: page, "next_page": None, "previous_page": None, "count": len(page)})

    return handler


def _by_cursor(call: Call, records: Sequence[Record], key: str) -> tuple[Sequence[Record], Record]:
    size = call.one("page[size]") or str(_MOST)
    number = whole_number(size) or 0
    if not 0 < number <= _MOST:
        raise invalid_page("page[size]")
    begins, ends = _bounds(call, records, key, number)
    page = records[begins:ends]
    first, last = (_encoded(page[0][key]), _encoded(page[-1][key])) if page else (None, None)
    more = begins > 0 if call.one("page[before]") else ends < len(records)
    links = {
        "prev": _link(call, {"page[before]": first, "page[size]": size}) if begins > 0 else None,
        "next": _link(call, {"page[after]": last, "page[size]": size}) if ends < len(records) else None,
    }
    return page, {"meta": {"has_more": more, "after_cursor": last, "before_cursor": first}, "links": links}


def _bounds(call: Call, records: Sequence[Record], key: str, size: int) -> tuple[int, int]:
    after, before = call.one("page[after]"), call.one("page[before]")
    places = {str(record[key]): place for place, record in enumerate(records)} if after or before else {}
    if before:
        end = places.get(_decoded("page[before]", before))
        if end is None:
            raise invalid_page("page[before]")
        return max(0, end - size), end
    begins = places.get(_decoded("page[after]", after), -2) + 1 if after else 0
    if begins < 0:
        raise invalid_page("page[after]")
    return begins, min(begins + size, len(records))


def _by_number(call: Call, records: Sequence[Record]) -> tuple[Sequence[Record], Record]:
    number, size = _number(call, "page", 1), min(_number(call, "per_page", _MOST), _MOST)
    begins = (number - 1) * size
    return records[begins : begins + size], {
        "next_page": _link(call, {"page": str(number + 1), "per_page": str(size)})
        if begins + size < len(records)
        else None,
        "previous_page": _link(call, {"page": str(number - 1), "per_page": str(size)}) if number > 1 else None,
        "count": len(records),
    }


def _number(call: Call, name: str, default: int) -> int:
    number = whole_number(call.one(name) or str(default))
    if not number:
        raise invalid(call, name, "an integer")
    return number


def _link(call: Call, page: dict[str, str | None]) -> str:
    kept = {name: values[-1] for name, values in call.query.items() if not name.startswith(("page", "per_page"))}
    return f"{call.base_url}{call.path}?{urlencode({**kept, **page})}"


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(f"o|{value}".encode()).decode()


def _decoded(name: str, cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor).decode().removeprefix("o|")
    except (binascii.Error, ValueError):
        raise invalid_page(name) from None
