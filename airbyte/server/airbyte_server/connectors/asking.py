"""Asks a connector one thing, in a process of the pool, and passes on what it answers."""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection

import orjson

from airbyte_server.connectors.processes import ChildProcess, ProcessPool, watch_server
from airbyte_server.connectors.program import JsonObject
from airbyte_server.connectors.renewal import renewed_fields
from airbyte_server.connectors.starting import ConnectorCall, start_connector
from airbyte_server.errors import PermanentError, ServerError

_LONGEST_COMPLAINT = 4096
# A longer one comes in pieces, which are no messages: this process and the server hold one at a time.
_LONGEST_ANSWER = 1 << 26

OnStart = Callable[[ChildProcess], None]
OnRenewal = Callable[[JsonObject], None]


def answers(
    pool: ProcessPool,
    call: ConnectorCall,
    *,
    timeout: float,
    on_start: OnStart | None = None,
    on_renewal: OnRenewal | None = None,
) -> Iterator[JsonObject]:
    """Each message of the connector; past the time-out it is killed and ConnectorTimeoutError raised.

    `on_renewal` gets what the connector changes of its configuration.
    """
    child = pool.start(_ask, call)
    if on_start is not None:
        on_start(child)
    try:
        for line in child.messages(time.monotonic() + timeout):
            with contextlib.suppress(orjson.JSONDecodeError):
                message = orjson.loads(line)
                if isinstance(message, dict):
                    renewed = renewed_fields(message, call.configuration)
                    if renewed and on_renewal is not None:
                        on_renewal(renewed)
                    yield message
    finally:
        child.close()


def _ask(channel: Connection, call: ConnectorCall) -> None:
    """In a process of the pool: run the connector and pass on what it writes; a silent end becomes a sentence."""
    try:
        connector = start_connector(call)  # before there is a second thread: what one holds, a fork keeps held for ever
    except ServerError as error:
        channel.send(_trace(str(error), "config_error" if isinstance(error, PermanentError) else "transient_error"))
        sys.exit(0)
    watch_server()
    complaints: list[bytes] = []
    drain = threading.Thread(target=_keep_last, args=(connector.stderr, complaints), daemon=True)
    drain.start()
    with os.fdopen(connector.stdout, "rb") as lines:
        while line := lines.readline(_LONGEST_ANSWER):
            channel.send(line)
    code = os.waitstatus_to_exitcode(os.waitpid(connector.pid, 0)[1])
    connector.close()
    drain.join(1)
    if code != 0 and complaints:
        text = complaints[-1].decode(errors="replace").strip()
        channel.send(_trace(f"Source {call.program.source_type} failed: {text}", "system_error"))
    sys.exit(0)


def _trace(sentence: str, failure_type: str) -> bytes:
    error = {"message": sentence, "failure_type": failure_type}
    return orjson.dumps({"type": "TRACE", "trace": {"type": "ERROR", "error": error}})


def _keep_last(descriptor: int, complaints: list[bytes]) -> None:
    with os.fdopen(descriptor, "rb") as lines:
        while line := lines.readline(_LONGEST_COMPLAINT):
            complaints[:] = [line]
