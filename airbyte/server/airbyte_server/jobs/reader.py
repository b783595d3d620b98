"""The connector of a job, forked from the job's process, and the lines that it writes."""

import contextlib
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection

import orjson

from airbyte_server.connectors.processes import (
    connector_configuration,
    die_with_parent_thread,
    silence_output,
    trace_sentence,
)
from airbyte_server.errors import ConnectorError
from airbyte_server.jobs.messages import JobOrder, JsonObject

_PIPE_BUFFER = 1 << 20
_STDERR_LINES = 20


class ConnectorReader:
    """The connector, forked from this process, and the lines it writes."""

    def __init__(self, order: JobOrder, *, close_in_child: Connection) -> None:
        self._source_type = order.source_type
        out, to_out = os.pipe()
        err, to_err = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _be_the_connector(order, (out, err, close_in_child.fileno()), to_out, to_err)
        os.close(to_out)
        os.close(to_err)
        self._exit_code: int | None = None
        self._lines = os.fdopen(out, "rb", buffering=_PIPE_BUFFER)
        self._complaints: deque[bytes] = deque(maxlen=_STDERR_LINES)
        self._drain = threading.Thread(target=self._keep_complaints, args=(err,), daemon=True)
        self._drain.start()

    def messages(self) -> Iterator[bytes]:
        """Each line; ends normally only if the connector said no error and exited with 0."""
        refusal: str | None = None
        for line in self._lines:
            if b'"TRACE"' in line:
                refusal = trace_sentence(_parsed(line)) or refusal
            yield line
        code = self._wait()
        if refusal is not None:
            raise ConnectorError(refusal)
        if code != 0:
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            raise ConnectorError(f"Source {self._source_type} stopped half-way with {how}.{self._last_complaint()}")

    def kill(self) -> None:
        """End the connector if it still runs."""
        if self._exit_code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            self._wait()

    def _wait(self) -> int:
        if self._exit_code is None:
            self._exit_code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self._exit_code

    def _keep_complaints(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb") as lines:
            while line := lines.readline(4096):
                self._complaints.append(line)

    def complaints(self) -> list[str]:
        """The last lines that it wrote to stderr."""
        self._drain.join(1)
        return [line.decode(errors="replace").strip() for line in list(self._complaints)]

    def _last_complaint(self) -> str:
        said = self.complaints()
        return f" It said: {said[-1]}" if said else ""


def _parsed(line: bytes) -> JsonObject:
    try:
        message = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return message if isinstance(message, dict) else {}


def _be_the_connector(order: JobOrder, unused: Sequence[int], out: int, err: int) -> None:
    """In the forked child: never returns, so that no cleanup of the job's process runs twice."""
    code = 1
    try:
        die_with_parent_thread()
        for descriptor in unused:
            os.close(descriptor)
        silence_output()
        os.dup2(err, 2)
        from airbyte_server.connectors import run_connector

        with os.fdopen(out, "wb", buffering=_PIPE_BUFFER) as lines:
            code = run_connector(
                order.source_type,
                "read",
                connector_configuration(order.configuration),
                order.configured_catalog,
                order.states,
                lines.write,
                record_limit=order.record_limit,
            )
    except BaseException as error:  # noqa: BLE001 a forked child must not fall back into its parent's stack
        os.write(2, f"{type(error).__name__}: {error}\n".encode(errors="replace"))
    finally:
        os._exit(code)
