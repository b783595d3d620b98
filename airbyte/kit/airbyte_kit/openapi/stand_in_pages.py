"""A page of a list, as the request asks for it and the document describes the answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from airbyte_kit.openapi import words
from airbyte_kit.openapi.document import Json
from airbyte_kit.openapi.listings import Listing
from airbyte_kit.openapi.paging import Place, Signals, fields_of, is_link
from airbyte_kit.openapi.parameters import Parameter
from airbyte_kit.openapi.shapes import Shape, Shapes
from airbyte_kit.openapi.stand_in_records import PAGE
from airbyte_kit.openapi.stand_in_values import Values

_OWN_TOKEN = "page_token"  # noqa: S105 - for addresses of a next page where no parameter is described

_GONE, _UNTOLD = object(), object()


class BadRequestError(Exception):
    """What the request says cannot be."""


@dataclass(frozen=True)
class Page:
    """Which records, and what is said of those after them."""

    start: int
    stop: int
    total: int
    size: int

    @property
    def is_last(self) -> bool:
        """Whether nothing follows."""
        return self.stop >= self.total


def page_of(signals: Signals, query: Mapping[str, str], keys: list[Any]) -> Page:
    """What the query asks for of records with these keys."""
    total = len(keys)
    if not _is_paged(signals):
        return Page(0, total, total, total)
    size = _whole(query, signals.size, PAGE)
    most = signals.size.number("maximum") if signals.size else None
    size = min(size, most) if most is not None else size
    if size < 1:
        raise BadRequestError("The page size is not a positive number.")
    start = _start(signals, query, keys, size)
    return Page(min(start, total), min(start + size, total), total, size)


def _is_paged(signals: Signals) -> bool:
    ways = (signals.page, signals.offset, signals.cursor, signals.last_record, signals.next_link)
    return any(ways) or signals.has_header


def _start(signals: Signals, query: Mapping[str, str], keys: list[Any], size: int) -> int:
    for name in (_OWN_TOKEN, signals.cursor.name if signals.cursor else ""):
        if query.get(name):
            return _opened(query[name])
    if signals.last_record and query.get(signals.last_record.name):
        texts = [str(key) for key in keys]
        if query[signals.last_record.name] not in texts:
            raise BadRequestError(f"{signals.last_record.name} names no record.")
        return texts.index(query[signals.last_record.name]) + 1
    if signals.offset and signals.offset.name in query:
        return _whole(query, signals.offset, 0)
    number = _whole(query, signals.page, signals.first_page) - signals.first_page
    if number < 0:
        raise BadRequestError("There is no such page.")
    return number * size


def _opened(token: str) -> int:
    digits = token.removeprefix("next-")
    if not digits.isdecimal():
        raise BadRequestError("The token is none that was given out.")
    return int(digits)


def _whole(query: Mapping[str, str], parameter: Parameter | None, otherwise: int) -> int:
    if parameter is None or parameter.name not in query:
        return otherwise
    if not query[parameter.name].isdecimal():
        raise BadRequestError(f"{parameter.name} is no whole number.")
    return int(query[parameter.name])


def following(signals: Signals, query: Mapping[str, str], page: Page, address: str) -> str:
    """The next page's whole address."""
    asked = dict(query)
    size = page.stop - page.start
    if signals.cursor:
        asked[signals.cursor.name] = _token(page.stop, signals.cursor.shape)
    elif signals.offset:
        asked[signals.offset.name] = str(page.stop)
    elif signals.page and page.stop % size == 0:
        asked[signals.page.name] = str(page.stop // size + signals.first_page)
    else:
        asked[_OWN_TOKEN] = f"next-{page.stop}"
    return f"{address}?{urlencode(asked)}"


def _token(stop: int, shape: Shape) -> Any:
    return str(stop) if "string" not in shape.types and shape.types else f"next-{stop}"


def answer(shapes: Shapes, listing: Listing, signals: Signals, page: Page, records: list[Json], link: str) -> Any:
    """The body: what the document describes around the records, with what it says of pages true."""
    if not listing.records:
        return records
    body = Values(shapes).of({**_schema(listing), "nullable": False}, 1, "answer")
    body = body if isinstance(body, dict) else {}
    gone: list[Place] = []
    for place, shape in fields_of(shapes, listing):
        if any(place[: len(each)] == each for each in gone):
            continue
        told = _told(signals, page, place, shape, link)
        if told is _GONE:
            gone.append(place)
            _remove(body, place)
        elif told is not _UNTOLD:
            _put(body, place, told)
    _put(body, listing.records, records)
    return body


def _told(signals: Signals, page: Page, place: Place, shape: Shape, link: str) -> Any:
    """What a field says of pages, whatever a draft makes of it."""
    name = words.squeezed(place[-1])
    if "boolean" in shape.types and name in words.HAVE_MORE | words.NEXT_CURSORS | words.ENDS:
        return page.is_last if name in words.ENDS else not page.is_last
    if "integer" in shape.types and name in words.TOTALS | words.PAGE_COUNTS:
        return page.total if name in words.TOTALS else -(-page.total // max(1, page.size))
    if place in (signals.next_link, signals.next_cursor) or name in words.NEXT_CURSORS | words.NEXT_LINKS:
        if "object" in shape.types or page.is_last:
            return _GONE if page.is_last else _UNTOLD
        return link if place == signals.next_link or is_link(place, shape) else _next(page, shape)
    return _GONE if name.startswith("prev") else _UNTOLD


def _next(page: Page, shape: Shape) -> Any:
    return page.stop if shape.types and shape.types <= {"integer", "number"} else f"next-{page.stop}"


def _schema(listing: Listing) -> Json:
    return {
        "type": "object",
        "properties": dict(listing.answer.properties),
        "required": list(listing.answer.properties),
    }


def _remove(body: Json, place: Place) -> None:
    for name in place[:-1]:
        body = body.get(name) if isinstance(body.get(name), dict) else {}  # type: ignore[assignment]
    body.pop(place[-1], None)


def _put(body: Json, place: Place, value: Any) -> None:
    """Sets a value, with the objects around it."""
    for name in place[:-1]:
        if not isinstance(body.get(name), dict):
            body[name] = {}
        body = body[name]
    body[place[-1]] = value
