"""Connectors in processes of their own: forked from a server that has airbyte-cdk loaded, gone when we are."""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from multiprocessing import connection as channels
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

import orjson

from airbyte_server.errors import ConnectorError, ConnectorTimeoutError, ServerError

_PRELOADED = (
    "airbyte_cdk",
    "airbyte_cdk.entrypoint",
    "airbyte_server.connectors.file_source",
    "airbyte_server.connectors.running",
    "airbyte_server.jobs.process",
)
_PR_SET_PDEATHSIG = 1
_KILL_PATIENCE_SECONDS = 5.0

JsonObject = dict[str, Any]


class ProcessPool:
    """Starts one process per call; no process ever serves two."""

    def __init__(self) -> None:
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(_PRELOADED))
        # multiprocessing polls every child when one starts, and reading an exit code twice loses it.
        self._lock = threading.Lock()

    def warm_up(self) -> None:
        """Load the libraries now, so that the first job does not wait for them."""
        self.start(_nothing).join()

    def start(self, target: Callable[..., None], *arguments: object) -> "ChildProcess":
        """Run `target(channel, *arguments)` in a new process of a session of its own."""
        ours, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_in_own_session, args=(target, theirs, arguments), daemon=False)
        with self._lock:
            process.start()
        theirs.close()
        return ChildProcess(process, ours, self._lock)


class ChildProcess:
    """A running child and what it sends."""

    def __init__(self, process: ForkServerProcess, channel: Connection, lock: threading.Lock) -> None:
        self._process = process
        self._channel = channel
        self._lock = lock
        self.pid: int = process.pid or 0

    def messages(self, deadline: float | None = None) -> Iterator[Any]:
        """What the child sends until it ends; past the deadline it is killed and ConnectorTimeoutError raised."""
        while True:
            patience = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not channels.wait([self._channel], patience):
                self.kill()
                raise ConnectorTimeoutError("The connector did not answer in time.")
            try:
                yield self._channel.recv()
            except EOFError:
                return

    def has_waiting(self) -> bool:
        """Whether it has sent something that was not yet read."""
        return self._channel.poll()

    def kill(self) -> None:
        """End the child and everything that it started."""
        if not self.is_alive():
            return
        # The group exists once the child has called setsid; before that it has started nothing.
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError):
                kill(self.pid, signal.SIGKILL)

    def is_alive(self) -> bool:
        """Whether the child still runs."""
        return not channels.wait([self._process.sentinel], 0)

    def join(self, timeout: float | None = None) -> int | None:
        """Wait for the end; the exit code, negative for a signal, None if it still runs."""
        channels.wait([self._process.sentinel], timeout)
        with self._lock:
            self._process.join(0)
            return self._process.exitcode

    def close(self) -> None:
        """Make sure that it is gone, and forget it."""
        if self.is_alive():
            self.kill()
        self.join(_KILL_PATIENCE_SECONDS)
        self._channel.close()


def discover(
    pool: ProcessPool,
    source_type: str,
    configuration: Mapping[str, Any],
    *,
    timeout: float,
    on_start: Callable[[ChildProcess], None] = lambda child: None,
) -> list[JsonObject]:
    """The streams of a source, as Airbyte's protocol gives them; a connector's refusal is a ConnectorError."""
    child = pool.start(_discover, source_type, dict(configuration))
    on_start(child)
    catalog: JsonObject | None = None
    refusal: str | None = None
    try:
        for line in child.messages(time.monotonic() + timeout):
            message = orjson.loads(line)
            if message.get("type") == "CATALOG":
                catalog = message["catalog"]
            refusal = trace_sentence(message) or refusal
    except ConnectorTimeoutError:
        raise ConnectorTimeoutError(
            f"Source {source_type} took longer than {timeout:g} s to list its streams."
        ) from None
    finally:
        child.close()
    if refusal or catalog is None:
        raise ConnectorError(refusal or f"Source {source_type} ended without a catalog.")
    streams: list[JsonObject] = catalog.get("streams", [])
    return streams


def trace_sentence(message: Mapping[str, Any]) -> str | None:
    """The sentence of a TRACE ERROR message, or None for any other."""
    trace = message.get("trace") or {}
    if message.get("type") != "TRACE" or trace.get("type") != "ERROR":
        return None
    error = trace.get("error") or {}
    return str(error.get("message") or error.get("internal_message") or "The connector failed without a message.")


def die_with_parent_thread() -> None:
    """Ask the kernel to kill this process when the thread that forked it ends; a no-op where there is no prctl."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def watch_server() -> None:
    """Kill this process's group as soon as the server is gone, whatever it is doing."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def wait_for_the_end() -> None:
        channels.wait([sentinel])
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait_for_the_end, name="server-watch", daemon=True).start()


def silence_output() -> None:
    """Send stray prints nowhere: they may hold secrets, and nobody reads them."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _in_own_session(target: Callable[..., None], channel: Connection, arguments: tuple[object, ...]) -> None:
    os.setsid()
    target(channel, *arguments)


def _nothing(channel: Connection) -> None:
    channel.close()


def _discover(channel: Connection, source_type: str, configuration: JsonObject) -> None:
    from airbyte_server.connectors import run_connector

    watch_server()
    silence_output()
    configuration = connector_configuration(configuration)
    try:
        code = run_connector(source_type, "discover", configuration, None, None, channel.send)
    except Exception as error:  # noqa: BLE001 the caller gets the sentence instead of an empty answer
        sentence = str(error) if isinstance(error, ServerError) else f"{type(error).__name__}: {error}"
        trace = {"type": "ERROR", "error": {"message": f"Source {source_type} failed: {sentence}"}}
        channel.send(orjson.dumps({"type": "TRACE", "trace": trace}))
        code = 1
    sys.exit(code)


def connector_configuration(configuration: Mapping[str, Any]) -> JsonObject:
    """The configuration as the connector's spec knows it: without the API's `sourceType`."""
    return {name: value for name, value in configuration.items() if name != "sourceType"}
