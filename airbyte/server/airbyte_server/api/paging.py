"""Lists in pages: limit and offset in, the rows and the addresses of the neighbours out."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import BeforeValidator
from sqlalchemy import Connection, Row, Select, func, select

Offset = Annotated[int, Query(ge=0, lt=2**31)]


class Page:
    """Which part of a list was asked for."""

    def __init__(self, request: Request, limit: int, offset: int) -> None:
        self._request = request
        self.limit = limit
        self.offset = offset

    def read(
        self, connection: Connection, query: Select[Any], show: Callable[[Row[Any]], dict[str, Any]]
    ) -> dict[str, Any]:
        """The page of an ordered query; `next` and `previous` are empty at the ends."""
        rows = connection.execute(query.limit(self.limit).offset(self.offset)).all()
        total = connection.execute(select(func.count()).select_from(query.order_by(None).subquery())).scalar_one()
        return self._answer([show(row) for row in rows], total)

    def cut(self, everything: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The page of a list that is in memory whole."""
        return self._answer(list(everything[self.offset : self.offset + self.limit]), len(everything))

    def _answer(self, rows: list[dict[str, Any]], total: int) -> dict[str, Any]:
        end = self.offset + self.limit
        return {
            "data": rows,
            "next": self._address(end) if end < total else "",
            "previous": self._address(max(0, min(self.offset, total) - self.limit)) if self.offset else "",
        }

    def _address(self, offset: int) -> str:
        kept = [
            pair
            for pair in parse_qsl(self._request.url.query, keep_blank_values=True)
            if pair[0] not in ("limit", "offset")
        ]
        query = urlencode([*kept, ("limit", self.limit), ("offset", offset)])
        return str(self._request.url.replace(query=query))


def _page(request: Request, limit: Annotated[int, Query(ge=1, le=100)] = 20, offset: Offset = 0) -> Page:
    return Page(request, limit, offset)


def _long_page(request: Request, limit: Annotated[int, Query(ge=1, le=10_000)] = 1000, offset: Offset = 0) -> Page:
    return Page(request, limit, offset)


PageDep = Annotated[Page, Depends(_page)]
LongPageDep = Annotated[Page, Depends(_long_page)]


def _split(values: object) -> object:
    if isinstance(values, list):
        return [part for value in values for part in str(value).split(",") if part]
    return values


WorkspaceIds = Annotated[list[UUID] | None, BeforeValidator(_split), Query(alias="workspaceIds")]
TagIds = Annotated[list[UUID] | None, BeforeValidator(_split), Query(alias="tagIds")]
IncludeDeleted = Annotated[bool, Query(alias="includeDeleted", description="Nothing deleted is kept; taken as given.")]
