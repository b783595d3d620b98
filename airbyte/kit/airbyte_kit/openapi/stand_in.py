"""A server that answers as an OpenAPI document says, to check a draft against."""

import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airbyte_kit.openapi import filters, keys, paging, stand_in_credentials
from airbyte_kit.openapi.document import Document, Json
from airbyte_kit.openapi.filters import Filter
from airbyte_kit.openapi.listings import Listing
from airbyte_kit.openapi.servers import server_of
from airbyte_kit.openapi.shapes import Shapes
from airbyte_kit.openapi.stand_in_pages import BadRequestError, answer, following, page_of
from airbyte_kit.openapi.stand_in_records import PAGE, Library, Shelf

_HOST = "127.0.0.1"


@dataclass(frozen=True)
class StandIn:
    """A stand-in that runs."""

    url: str
    configuration: Json = field(repr=False)
    """Complete, for the manifest that it was started for."""
    wrong_configuration: Json | None = field(repr=False)
    """With other secrets; None where the document asks for none."""
    api: "Api" = field(repr=False)

    def forget(self) -> None:
        """Starts the book of what was given out afresh."""
        self.api.library.forget()

    def unread(self) -> list[str]:
        """A sentence for each list that was asked for since then and not given out whole."""
        return self.api.unread()


class Api:
    """The lists of a document over HTTP."""

    def __init__(self, document: Document) -> None:
        self.shapes = Shapes(document)
        self.library = Library(self.shapes)
        self.base = server_of(document).path
        self._guard = stand_in_credentials.Guard(document)
        self._lock = threading.Lock()
        ordered = sorted(self.library.listings, key=lambda each: len(each.placeholders))
        self._patterns = [(_pattern(self.base + each.path), each) for each in ordered]

    def unread(self) -> list[str]:
        """What is missing of each list that was asked for, under whichever parent."""
        found = []
        for listing in self.library.listings:
            shelves = self.library.whole(listing)
            given, total = sum(len(each.given) for each in shelves), sum(len(each.records) for each in shelves)
            if given < total and any(each.is_asked for each in shelves):
                found.append(f"GET {listing.path}: {given} of {total} records were given out.")
        return found

    async def answer(self, request: Request) -> Response:
        """Whatever is asked."""
        if request.url.path == stand_in_credentials.TOKEN_PATH:
            token = self._guard.token(dict(parse_qsl((await request.body()).decode("utf-8", "replace"))))
            return JSONResponse(token or {"error": "unsupported_grant_type"}, 200 if token else 400)
        return await run_in_threadpool(self._answer, request)

    def _answer(self, request: Request) -> Response:
        with self._lock:
            for pattern, listing in self._patterns:
                found = pattern.fullmatch(request.url.path)
                if found and request.method == "GET":
                    return self._list(request, listing, list(found.groups()))
        return _refusal(404, "There is nothing here.")

    def _list(self, request: Request, listing: Listing, values: list[str]) -> Response:
        query = dict(request.query_params)
        if not self._guard.admits(listing, request.headers, query):
            return _refusal(401, "The credentials are missing or wrong.")
        missing = [each.name for each in listing.parameters if each.required and _lacks(each, query, request.headers)]
        if missing:
            return _refusal(400, f"{missing[0]} is missing.")
        shelf = self.library.shelf(listing, values)
        if shelf is None:
            return _refusal(404, "There is no such parent.")
        try:
            return self._page(request, shelf, query)
        except (BadRequestError, ValueError) as error:
            return _refusal(400, str(error))

    def _page(self, request: Request, shelf: Shelf, query: Mapping[str, str]) -> Response:
        listing = shelf.listing
        signals = paging.signals_of(self.shapes, listing)
        known = [
            (number, record)
            for number, record in zip(shelf.numbers, shelf.records, strict=True)
            if all(_passes(each, record, query) for each in filters.filters_of(self.shapes, listing))
        ]
        key = keys.key_of(self.shapes, listing)
        page = page_of(signals, query, [record.get(key) for _, record in known] if key else [None] * len(known))
        chosen = known[page.start : page.stop]
        shelf.is_asked = True
        shelf.given.update(number for number, _ in chosen)
        link = "" if page.is_last else following(signals, query, page, str(request.url).split("?")[0])
        headers = {"Link": f'<{link}>; rel="next"'} if link and signals.has_header else {}
        body = answer(self.shapes, listing, signals, page, [record for _, record in chosen], link)
        return JSONResponse(body, headers=headers)


def _pattern(path: str) -> re.Pattern[str]:
    pieces = re.split(r"\{[^{}]*\}", path)
    return re.compile("([^/]+)".join(re.escape(piece) for piece in pieces))


def _lacks(parameter: Any, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    if parameter.location == "path":
        return False
    return parameter.name not in query if parameter.location == "query" else parameter.name.lower() not in headers


def _passes(each: Filter, record: Json, query: Mapping[str, str]) -> bool:
    if each.parameter not in query:
        return True
    bound, value = _seconds(query[each.parameter], each.written), _seconds(str(record[each.field]), each.read[0])
    return value > bound if each.is_exclusive else value >= bound


def _seconds(text: str, written: str) -> float:
    if written in ("%s", "%ms"):
        return int(text) / (1000 if written == "%ms" else 1)
    return datetime.strptime(text.removesuffix("Z"), written.removesuffix("Z")).timestamp()


def _refusal(status: int, sentence: str) -> Response:
    return JSONResponse({"error": {"code": status, "message": sentence}}, status)


@contextmanager
def serving(document: Path | Document, manifest: Mapping[str, Any]) -> Iterator[StandIn]:
    """A stand-in in a thread, for the length of a block; the manifest says what its configuration is to be called."""
    api = Api(document if isinstance(document, Document) else Document.read(document))
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind((_HOST, 0))
        listener.listen(128)
        url = f"http://{_HOST}:{listener.getsockname()[1]}"
        application = Starlette(routes=[Route("/{path:path}", api.answer, methods=["GET", "POST"])])
        # What it asks for is taken by the listener until the server is ready for it.
        server = uvicorn.Server(
            uvicorn.Config(application, lifespan="off", access_log=False, log_config=None, timeout_graceful_shutdown=2)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="stand-in", daemon=True)
        thread.start()
        right = stand_in_credentials.configuration(manifest, url, api.base, PAGE)
        try:
            yield StandIn(url, right, stand_in_credentials.wrong(manifest, right), api)
        finally:
            server.should_exit = True
            thread.join()
