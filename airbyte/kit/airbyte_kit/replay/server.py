"""An API over HTTP on loopback, whatever it says."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from airbyte_kit.replay.exchanges import Answer, Asked

MOST_REQUESTS = 500
BASE = "{base_url}"
"""In a sample's header or body, where the API writes its own address."""


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
