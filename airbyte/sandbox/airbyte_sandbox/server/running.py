"""Serves the sandbox on loopback: until a signal, or for as long as a block runs."""

import logging
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

import uvicorn

from airbyte_sandbox.server.accounts import Accounts
from airbyte_sandbox.server.api import ToolApi
from airbyte_sandbox.server.app import create_app
from airbyte_sandbox.server.tools import APIS

_HOST = "127.0.0.1"
_STOPPING_SECONDS = 2


def serve(accounts: Accounts, port: int, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `announce` gets the base URL at the start. A port in use raises OSError."""
    # The server raises a signal again when it has stopped: with this handler that is its end, not a death.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: None)
    with _listening(port) as listener:
        _Server(accounts, APIS, lambda: announce(_url(listener))).run(sockets=[listener])


@contextmanager
def serving(accounts: Accounts, apis: Sequence[ToolApi] = APIS, port: int = 0) -> Iterator[str]:
    """A sandbox in a thread of this process for the length of a block; gives its base URL."""
    ready = Event()
    with _listening(port) as listener:
        server = _Server(accounts, apis, ready.set)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True)
        thread.start()
        try:
            while not ready.wait(0.05):
                if not thread.is_alive():
                    raise RuntimeError("The sandbox's server ended before it took requests; its log says why.")
            yield _url(listener)
        finally:
            server.should_exit = True
            thread.join()


class _Server(uvicorn.Server):
    def __init__(self, accounts: Accounts, apis: Sequence[ToolApi], ready: Callable[[], object]) -> None:
        logging.getLogger("uvicorn.error").addFilter(_is_worth_a_line)
        super().__init__(
            uvicorn.Config(
                create_app(accounts, apis),
                lifespan="off",
                access_log=False,
                log_config=None,
                log_level="warning",
                timeout_graceful_shutdown=_STOPPING_SECONDS,
            )
        )
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """An incomplete response is a fault that was asked for."""
    return "without completing response" not in record.getMessage()


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        yield listener


def _url(listener: socket.socket) -> str:
    return f"http://{_HOST}:{listener.getsockname()[1]}"
