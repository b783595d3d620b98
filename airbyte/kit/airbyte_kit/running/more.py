"""Whether an API's page says that there is another one, as far as APIs agree on how to say so."""

from collections.abc import Mapping
from typing import Any

_FLAGS = ("has_more", "hasMore", "has_next_page", "hasNextPage")
_ENDS = ("end_of_stream", "is_last", "isLast", "last")
_NEXT = ("next", "next_page", "nextPage", "next_cursor", "nextCursor", "next_page_token", "nextPageToken", "next_url")
_PLACES = ("meta", "paging", "pagination", "links", "_links", "response_metadata", "page_info", "pageInfo")


def says_more(body: Any, headers: Mapping[str, str]) -> bool:
    """By a flag where there is one, else by a link or a token of the next page."""
    if 'rel="next"' in headers.get("link", "") or "rel=next" in headers.get("link", ""):
        return True
    if not isinstance(body, Mapping):
        return False
    places = [body, *(body[name] for name in _PLACES if isinstance(body.get(name), Mapping))]
    for place in places:
        for name in _FLAGS:
            if isinstance(place.get(name), bool):
                return bool(place[name])
        for name in _ENDS:
            if isinstance(place.get(name), bool):
                return not place[name]
    return any(_leads_on(place.get(name)) for place in places for name in _NEXT)


def _leads_on(value: Any) -> bool:
    """Whether there is a link or token, be it in an object such as `{"href": …}`."""
    return any(map(_leads_on, value.values())) if isinstance(value, Mapping) else value not in (None, "", False, [])
