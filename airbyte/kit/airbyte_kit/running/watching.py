"""Writes the journal in the connector's process, and answers for the API where a fault is wanted."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import requests
from airbyte_cdk.sources.declarative.retrievers import SimpleRetriever
from airbyte_cdk.sources.streams.http.http_client import HttpClient

from airbyte_kit.running.journal import Entry, Page, Request, Wait, written
from airbyte_kit.running.more import says_more

MOST_REQUESTS = 20_000
MOST_REPEATS = 20
_LONGEST_BODY = 20_000


@dataclass(frozen=True)
class Injected:
    """Every so many requests, from the first on, the API is not asked, and this is its answer."""

    status: int
    every: int
    headers: dict[str, str] = field(default_factory=dict)

    def response(self, request: requests.PreparedRequest) -> requests.Response:
        """As an API would have sent it."""
        response = requests.Response()
        response.status_code, response.url, response.request = self.status, str(request.url), request
        response.headers.update({"Content-Type": "application/json", **self.headers})
        response._content = b'{"error": "This is a fault of the check.", "message": "This is a fault of the check."}'
        return response


class Watch:
    """Where the journal goes; entered before the fork, it writes in the child."""

    def __init__(self, path: Path, injected: Injected | None = None) -> None:
        self.path = path
        self._injected = injected
        self._lock = threading.Lock()
        self._of_thread = threading.local()
        self._sent: dict[tuple[Any, ...], int] = {}
        self._read: dict[tuple[str, ...], int] = {}
        self._number = self._of_streams = 0

    def waited(self, seconds: float) -> None:
        """Note a pause."""
        self._note(Wait(float(seconds), threading.get_ident()))

    @contextmanager
    def kept(self) -> Iterator[None]:
        """While it holds, requests and pages are noted."""
        with ExitStack() as patches:
            patches.enter_context(patch.object(HttpClient, "_send", self._naming(HttpClient._send)))
            patches.enter_context(patch.object(requests.Session, "send", self._noting(requests.Session.send)))
            paging = self._paging(SimpleRetriever._next_page_token)
            patches.enter_context(patch.object(SimpleRetriever, "_next_page_token", paging))
            yield

    def _naming(self, send: Callable[..., Any]) -> Callable[..., Any]:
        def named(client: HttpClient, *arguments: Any, **more: Any) -> Any:
            self._of_thread.stream = client.name
            try:
                return send(client, *arguments, **more)
            finally:
                self._of_thread.stream = None

        return named

    def _noting(self, send: Callable[..., Any]) -> Callable[..., Any]:
        def noted(session: requests.Session, request: requests.PreparedRequest, **more: Any) -> Any:
            stream = getattr(self._of_thread, "stream", None)
            injected = self._count(stream, request)
            response = injected.response(request) if injected else send(session, request, **more)
            self._note(_request(stream, request, response))
            return response

        return noted

    def _count(self, stream: str | None, request: requests.PreparedRequest) -> Injected | None:
        with self._lock:
            self._number += 1
            asked = stream, request.method, request.url, request.body
            self._sent[asked] = self._sent.get(asked, 0) + 1
            if self._number > MOST_REQUESTS or self._sent[asked] > MOST_REPEATS:
                raise RuntimeError(f"The connector asks without an end, last {request.method} {request.url}.")
            if (
                self._injected is None or stream is None
            ):  # what is asked for a token, airbyte-cdk repeats by its own rule
                return None
            self._of_streams += 1
            return self._injected if (self._of_streams - 1) % self._injected.every == 0 else None

    def _paging(self, next_token: Callable[..., Any]) -> Callable[..., Any]:
        def noted(retriever: SimpleRetriever, response: requests.Response, *arguments: Any, **more: Any) -> Any:
            token = next_token(retriever, response, *arguments, **more)
            url, body = str(response.url), _text(response.request.body)
            self._note(Page(retriever.name, url, body, _says_more(response), bool(token)))
            self._refuse_repeats(token, retriever.name, url, body)
            return token

        return noted

    def _refuse_repeats(self, token: object, *page: str) -> None:
        """End a list that never ends: its pages may come of airbyte-cdk's cache, where nothing is sent."""
        with self._lock:
            self._read[page] = self._read.get(page, 0) + 1
            if token and self._read[page] > MOST_REPEATS:
                raise RuntimeError(f"The connector reads one page without an end: {page[1]}.")

    def _note(self, entry: Entry) -> None:
        with self._lock:
            # Opened each time: the connector's process closes whatever it inherited.
            file = os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
            try:
                os.write(file, written(entry))
            finally:
                os.close(file)


def _request(stream: str | None, request: requests.PreparedRequest, response: requests.Response) -> Request:
    wanted = response.headers.get("Retry-After", "")
    return Request(
        stream=stream,
        method=str(request.method),
        url=str(request.url),
        body=_text(request.body),
        status=response.status_code,
        retry_after=float(wanted) if wanted.isdigit() else None,
        thread=threading.get_ident(),
    )


def _text(body: object) -> str:
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    return text[:_LONGEST_BODY]


def _says_more(response: requests.Response) -> bool:
    try:
        body = response.json()
    except ValueError:
        body = None
    return says_more(body, {name.lower(): value for name, value in response.headers.items()})
