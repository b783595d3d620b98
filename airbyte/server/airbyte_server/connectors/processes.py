"""Connectors in processes of their own: forked from a server that has airbyte-cdk loaded, gone when we are."""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing import connection as channels
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

from airbyte_server.connectors.process_tree import keep_descendants, kill_descendants, kill_tree
from airbyte_server.errors import ConnectorError, ConnectorTimeoutError, ConnectorTroubleError, ServerError

# Names and not modules: the server itself loads none of them.
PRELOADED = (
    "airbyte_cdk",
    "airbyte_cdk.entrypoint",
    "airbyte_server.connectors.asking",
    "airbyte_server.connectors.file_source",
    "airbyte_server.connectors.inspection",
    "airbyte_server.connectors.running",
    "airbyte_server.jobs.process",
)
_KILL_PATIENCE_SECONDS = 5.0


class ProcessPool:
    """Starts one process per call; no process ever serves two."""

    def __init__(self) -> None:
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(PRELOADED))
        # multiprocessing polls every child when one starts, and reading an exit code twice loses it.
        self._lock = threading.Lock()
        self._after_each: list[Callable[[], object]] = []

    def after_each(self, tidy: Callable[[], object]) -> None:
        """Call this whenever a process is gone, whatever ended it."""
        self._after_each.append(tidy)

    def warm_up(self) -> None:
        """Load the libraries now, so that the first job does not wait for them."""
        child = self.start(_nothing)
        child.join()
        child.close()

    def start(self, target: Callable[..., None], *arguments: object) -> "ChildProcess":
        """Run `target(channel, *arguments)` in a new process of a session of its own."""
        ours, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_in_own_session, args=(target, theirs, arguments), daemon=False)
        with self._lock:
            process.start()
        theirs.close()
        return ChildProcess(process, ours, self._lock, self._after_each)


class ChildProcess:
    """A running child and what it sends."""

    def __init__(
        self,
        process: ForkServerProcess,
        channel: Connection,
        lock: threading.Lock,
        after: Sequence[Callable[[], object]],
    ) -> None:
        self._process = process
        self._channel = channel
        self._lock = lock
        self._after = after
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
            except (EOFError, OSError):  # the latter where it was killed in the middle of a message
                return

    def has_waiting(self) -> bool:
        """Whether it has sent something that was not yet read."""
        return self._channel.poll()

    def kill(self) -> None:
        """End the child and everything that it started."""
        if self.is_alive():
            kill_tree(self.pid)

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
        self.kill()
        code = self.join(_KILL_PATIENCE_SECONDS)
        if code is not None and code < 0:  # killed by somebody else: it could not end what it had started
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self._channel.close()
        for tidy in self._after:
            tidy()


def trace_sentence(message: Mapping[str, Any]) -> str | None:
    """The sentence of a TRACE ERROR message, or None for any other."""
    failure = trace_failure(message)
    return None if failure is None else failure.sentence


def trace_failure(message: Mapping[str, Any]) -> ServerError | None:
    """The error of a TRACE ERROR message, or None for any other; a config_error is permanent, all else may pass."""
    trace = message.get("trace") or {}
    if message.get("type") != "TRACE" or trace.get("type") != "ERROR":
        return None
    error = trace.get("error") or {}
    kind = ConnectorError if error.get("failure_type") == "config_error" else ConnectorTroubleError
    return kind(str(error.get("message") or error.get("internal_message") or "The connector failed without a message."))


def watch_server() -> None:
    """Kill this process's group as soon as the server is gone, whatever it is doing."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def wait_for_the_end() -> None:
        channels.wait([sentinel])
        kill_descendants(os.getpid())
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
    keep_descendants()
    try:
        target(channel, *arguments)
    finally:
        kill_descendants(os.getpid())


def _nothing(channel: Connection) -> None:
    channel.close()
