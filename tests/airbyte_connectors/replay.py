"""An API over HTTP that says what was written down: samples of requests, each with its response."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

JsonObject = dict[str, Any]
MOST_REQUESTS = 500
BASE = "{base_url}"
"""In a sample's header or body, where the API writes its own address."""


@dataclass(frozen=True)
class Asked:
    """One request; its headers are no part of what it asks for."""

    method: str
    path: str
    query: tuple[tuple[str, tuple[str, ...]], ...]
    body: str
    headers: tuple[tuple[str, str], ...] = field(compare=False, repr=False, default=())

    @cached_property
    def values(self) -> JsonObject:
        """The query; a key that is repeated has a list."""
        return {name: found[0] if len(found) == 1 else list(found) for name, found in self.query}

    @cached_property
    def json(self) -> JsonObject:
        """The body, where it is a JSON object."""
        try:
            read = json.loads(self.body or "{}")
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}


@dataclass(frozen=True)
class Answer:
    """A response; its body is whatever JSON has."""

    status: int
    body: Any
    headers: JsonObject = field(default_factory=dict)


@dataclass
class Exchange:
    """A request of a sample, its response, and how often it was asked."""

    place: str
    request: JsonObject
    answer: Answer
    times: int = 0

    @classmethod
    def read(cls, place: str, written: JsonObject) -> "Exchange":
        """The exchange as a sample has it."""
        response = written["response"]
        answer = Answer(response.get("status", 200), response.get("body"), response.get("headers") or {})
        return cls(place, written["request"], answer)

    def matches(self, asked: Asked, base_path: str) -> bool:
        """Method and path, and each key that the sample names; `null` stands for a key that is absent."""
        if self.request.get("method", "GET") != asked.method or not self.is_at(asked.path, base_path):
            return False
        query = self.request.get("query") or {}
        wanted = {key: _texts(value) for key, value in query.items()}
        body = self.request.get("json") or {}
        return all(asked.values.get(key) == value for key, value in wanted.items()) and all(
            asked.json.get(key) == value for key, value in body.items()
        )

    def is_at(self, path: str, base_path: str) -> bool:
        """Whether it is about this path, which a sample writes with or without that of the base URL."""
        return bool(unquote(self.request["path"]) in (path, path.removeprefix(base_path)))


class Script:
    """The exchanges in the order in which they are asked, each once."""

    def __init__(self, exchanges: Sequence[Exchange], base_path: str) -> None:
        self.exchanges = exchanges
        self.asked: list[tuple[Asked, Exchange | None]] = []
        self._base_path = base_path

    @property
    def unused(self) -> list[str]:
        """What nobody asked for."""
        return [f"{one.place}: {json.dumps(one.request)}" for one in self.exchanges if not one.times]

    @property
    def unanswered(self) -> list[Asked]:
        """Requests that no exchange is for."""
        return [asked for asked, exchange in self.asked if exchange is None]

    def answer(self, asked: Asked) -> Answer:
        """The first match that is unused."""
        matching = (one for one in self.exchanges if not one.times and one.matches(asked, self._base_path))
        found = next(matching, None)
        self.asked.append((asked, found))
        if found is None:
            return Answer(404, {"error": "The sample has no exchange for this request."})
        found.times += 1
        return found.answer


class NothingNew:
    """The API after everything was read: what was asked before it answers as before, all else with an empty page."""

    def __init__(self, before: Script, base_path: str) -> None:
        self._known = [
            (asked, one.answer) for asked, one in before.asked if one is not None and one.answer.status < 300
        ]
        self._exchanges = before.exchanges
        self._base_path = base_path
        self.asked: list[Asked] = []
        self.unanswered: list[Asked] = []

    def answer(self, asked: Asked) -> Answer:
        """As before, or nothing new."""
        number = sum(one == asked for one in self.asked)
        self.asked.append(asked)
        known = [answer for one, answer in self._known if one == asked]
        if known:
            return known[min(number, len(known) - 1)]
        pages = [one.answer for one in self._exchanges if one.is_at(asked.path, self._base_path)]
        pages = [one for one in pages if one.status < 300]
        if not pages:
            self.unanswered.append(asked)
            return Answer(404, {"error": "The sample has no exchange for this path."})
        return Answer(pages[-1].status, emptied(pages[-1].body), pages[-1].headers)


class Replay:
    """The server; `answer` says what it says."""

    def __init__(self) -> None:
        self.answer: Callable[[Asked], Answer] = lambda asked: Answer(404, {})
        self.base_path = ""
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def root(self) -> str:
        """Without any path."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def base_url(self) -> str:
        """What a configuration has as its base_url."""
        return self.root + self.base_path

    def reply(self, asked: Asked) -> Answer:
        """One request at a time, so that a script sees them in an order."""
        with self._lock:
            self.asked.append(asked)
            if len(self.asked) > MOST_REQUESTS:
                return Answer(400, {"error": "This connector asks without an end."})
            return self.answer(asked)

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def replay_server() -> Iterator[Replay]:
    """A running server."""
    server = Replay()
    try:
        yield server
    finally:
        server.stop()


def emptied(body: Any) -> Any:
    """A page without its records: every list in it has no items."""
    if isinstance(body, dict):
        return {name: emptied(value) for name, value in body.items()}
    return [] if isinstance(body, list) else body


def _texts(value: Any) -> Any:
    """A query's value as a request has it."""
    if isinstance(value, list):
        return [_texts(item) for item in value]
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def _handler(replay: Replay) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # a response in one packet

        def _reply(self) -> None:
            address = urlsplit(self.path)
            query = parse_qs(address.query, keep_blank_values=True)
            asked = Asked(
                method=self.command,
                path=unquote(address.path),
                query=tuple(sorted((name, tuple(found)) for name, found in query.items())),
                body=self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(),
                headers=tuple(self.headers.items()),
            )
            answer = replay.reply(asked)
            content = json.dumps(answer.body).replace(BASE, replay.base_url).encode()
            self.send_response(answer.status)
            headers = {"Content-Type": "application/json", **answer.headers, "Content-Length": len(content)}
            for name, value in headers.items():
                self.send_header(name, str(value).replace(BASE, replay.base_url))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _reply

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
