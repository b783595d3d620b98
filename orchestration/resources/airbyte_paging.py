"""Whole lists from an Airbyte that pages by limit and offset, however it words `next`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from analysis.errors import RetryableError

PAGE = 100
Row = dict[str, Any]


def read_pages(fetch: Callable[[dict[str, int]], Any], path: str, key: str) -> list[Row]:
    """Every row of a list once, by its id; a list that cannot be read whole is an error, never a shorter list.

    `fetch` gets `limit` and `offset` and returns the body of the answer.
    """
    return _Listing(fetch, path, key).read()


@dataclass
class _Listing:
    """A list while it is read."""

    fetch: Callable[[dict[str, int]], Any]
    path: str
    key: str
    rows: dict[str, Row] = field(default_factory=dict)

    def read(self) -> list[Row]:
        offset = 0
        while True:
            page, is_last = self._page(offset)
            if offset and not self._has_news(page):
                # An answer may be stale or lost once: ask again before believing it.
                page, is_last = self._page(offset)
                if not self._has_news(page):
                    self._require_end(offset, page)
                    return list(self.rows.values())
            self.rows.update({str(row[self.key]): row for row in page})
            # Counting what is new re-reads whatever an overlapping page stood in for.
            offset = len(self.rows)
            if is_last:
                return list(self.rows.values())

    def _page(self, offset: int) -> tuple[list[Row], bool]:
        body = self.fetch({"limit": PAGE, "offset": offset})
        if not isinstance(body, dict) or not isinstance(body.get("data"), list):
            raise RetryableError("Airbyte answered a list without its rows; try again.", path=self.path)
        # `next` says only that there is more: its host is often one that only Airbyte itself can reach.
        return body["data"], len(body["data"]) < PAGE and not (body["data"] and body.get("next"))

    def _has_news(self, page: list[Row]) -> bool:
        return any(str(row[self.key]) not in self.rows for row in page)

    def _require_end(self, offset: int, page: list[Row]) -> None:
        beyond, _ = self._page(offset + PAGE)
        if len(page) >= PAGE or self._has_news(beyond):
            raise RetryableError("Airbyte's list lacks a page; try again.", path=self.path, offset=offset)
