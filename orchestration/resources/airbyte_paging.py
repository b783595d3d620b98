"""Whole lists from an Airbyte that pages by limit and offset, however it words `next`."""

from __future__ import annotations

from typing import Any

import httpx

from analysis.errors import RetryableError

PAGE = 100


def read_pages(http: httpx.Client, path: str, key: str, **params: str) -> list[dict[str, Any]]:
    """Every row of a list once, by its id; a list that cannot be read whole is an error, never a shorter list."""
    rows: dict[str, dict[str, Any]] = {}
    offset = 0
    while True:
        page, is_last = _page(http, path, params, offset)
        if offset and not _has_news(page, key, rows):
            # An answer may be stale or lost once: ask again before believing it.
            page, is_last = _page(http, path, params, offset)
            if not _has_news(page, key, rows):
                _require_end(http, path, params, offset, page, key, rows)
                return list(rows.values())
        rows.update({str(row[key]): row for row in page})
        # Counting what is new re-reads whatever an overlapping page stood in for.
        offset = len(rows)
        if is_last:
            return list(rows.values())


def _page(http: httpx.Client, path: str, params: dict[str, str], offset: int) -> tuple[list[dict[str, Any]], bool]:
    body = http.get(path, params={**params, "limit": PAGE, "offset": offset}).json()
    if not isinstance(body, dict) or not isinstance(body.get("data"), list):
        raise RetryableError("Airbyte answered a list without its rows; try again.", path=path)
    # `next` says only that there is more: its host is often one that only Airbyte itself can reach.
    return body["data"], len(body["data"]) < PAGE and not (body["data"] and body.get("next"))


def _has_news(page: list[dict[str, Any]], key: str, rows: dict[str, dict[str, Any]]) -> bool:
    return any(str(row[key]) not in rows for row in page)


def _require_end(
    http: httpx.Client,
    path: str,
    params: dict[str, str],
    offset: int,
    page: list[dict[str, Any]],
    key: str,
    rows: dict[str, dict[str, Any]],
) -> None:
    beyond, _ = _page(http, path, params, offset + PAGE)
    if len(page) >= PAGE or _has_news(beyond, key, rows):
        raise RetryableError("Airbyte's list lacks a page; try again.", path=path, offset=offset)
