"""Lists in pages: limit and offset in, the rows and the addresses of the neighbours out."""

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import BeforeValidator
from sqlalchemy import Connection, Row, Select, func, select

MAX_LIMIT = 100


class Page:
    """Which part of a list was asked for."""

    def __init__(
        self,
        request: Request,
        limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20,
        offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    ) -> None:
        self._request = request
        self.limit = limit
        self.offset = offset

    def read(
        self, connection: Connection, query: Select[Any], show: Callable[[Row[Any]], dict[str, Any]]
    ) -> dict[str, Any]:
        """The page of an ordered query; `next` and `previous` are empty at the ends."""
        rows = connection.execute(query.limit(self.limit).offset(self.offset)).all()
        total = connection.execute(select(func.count()).select_from(query.order_by(None).subquery())).scalar_one()
        end = self.offset + self.limit
        return {
            "data": [show(row) for row in rows],
            "next": self._address(end) if end < total else "",
            "previous": self._address(max(0, self.offset - self.limit)) if self.offset else "",
        }

    def _address(self, offset: int) -> str:
        kept = [
            pair
            for pair in parse_qsl(self._request.url.query, keep_blank_values=True)
            if pair[0] not in ("limit", "offset")
        ]
        query = urlencode([*kept, ("limit", self.limit), ("offset", offset)])
        return str(self._request.url.replace(query=query))


PageDep = Annotated[Page, Depends()]


def _split(values: object) -> object:
    if isinstance(values, list):
        return [part for value in values for part in str(value).split(",") if part]
    return values


WorkspaceIds = Annotated[list[UUID] | None, BeforeValidator(_split), Query(alias="workspaceIds")]
