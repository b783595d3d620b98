"""The connector of a job, forked from the job's process, and the lines that it writes."""

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import repeat
from operator import contains

import orjson

from airbyte_server.connectors.process_tree import kill_tree
from airbyte_server.connectors.processes import trace_failure
from airbyte_server.connectors.renewal import renewed_fields
from airbyte_server.connectors.starting import ConnectorCall, start_connector
from airbyte_server.errors import ConnectorTroubleError, ServerError
from airbyte_server.jobs.lines import ConnectorLines, LimitExceededError
from airbyte_server.jobs.messages import JobOrder, JsonObject, StreamKey

_CLOSING_SECONDS = 60.0
_STDERR_LINES = 20
_TRACE = b'"TRACE"'
_RENEWAL = b'"CONNECTOR_CONFIG"'
_TICK_SECONDS = 0.005
_LONGEST_COMPLAINT = 1 << 16
_OUT_OF_MEMORY = (b"MemoryError", b"Cannot allocate memory", b"bad_alloc")


class ConnectorReader:
    """The connector, forked from this process, and the lines it writes."""

    cut: Collection[StreamKey] | None = None
    """Which streams a budget cut; None where there is no budget."""

    def __init__(self, order: JobOrder, on_renewal: Callable[[JsonObject], None] = lambda fields: None) -> None:
        self._configuration = order.configuration
        self._on_renewal = on_renewal
        self._source_type = order.program.source_type
        self._memory_mib = order.limits.memory_mib
        self._patience = min(_CLOSING_SECONDS, order.limits.silence_seconds)
        call = ConnectorCall(
            program=order.program,
            command="read",
            configuration=order.configuration,
            configured_catalog=order.configured_catalog,
            states=order.states,
            memory_mib=order.limits.memory_mib,
        )
        connector = start_connector(call)
        self._connector = connector
        self._pid = connector.pid
        self._exit_code: int | None = None
        self._is_overdue = False
        self._reaping = threading.Lock()
        self.stopped = False
        """Whether `stop` ended it."""
        self._lines = ConnectorLines(connector.stdout, self._has_ended, order.limits)
        self._complaints: deque[bytes] = deque(maxlen=_STDERR_LINES)
        self._drain = threading.Thread(target=self._keep_complaints, args=(connector.stderr,), daemon=True)
        self._drain.start()

    def messages(self) -> Iterator[bytes]:
        """Each line of `batches`."""
        for lines in self.batches():
            yield from lines

    def batches(self) -> Iterator[Sequence[bytes]]:
        """The lines that are there at a time, without newlines.

        Ends normally only if the connector was stopped, or said no error and exited with 0.
        """
        failure: ServerError | None = None
        for lines in self._lines.batches():
            failure = self._failure_in(lines) or failure
            yield lines
        code = self._wait(self._patience)
        if self.stopped:
            return
        if failure is not None:
            raise failure
        if code != 0:
            self._drain.join(1)  # its last words may still be on their way
            self._refuse_memory(*self._complaints)
            how = "closed its output and did not end" if self._is_overdue else f"stopped half-way with {_how(code)}"
            raise ConnectorTroubleError(f"Source {self._source_type} {how}.{self._last_complaint()}")
        if self._lines.unfinished:
            yield [self._lines.unfinished]

    def _failure_in(self, lines: Sequence[bytes]) -> ServerError | None:
        failure = None
        if not any(any(map(contains, lines, repeat(sign))) for sign in (_TRACE, _RENEWAL)):
            return None
        for line in lines:
            if _TRACE in line and (said := trace_failure(_parsed(line))) is not None:
                failure = said
                self._refuse_memory(line)
            if _RENEWAL in line and (renewed := renewed_fields(_parsed(line), self._configuration)):
                self._on_renewal(renewed)
        return failure

    def _refuse_memory(self, *texts: bytes) -> None:
        if any(sign in text for text in texts for sign in _OUT_OF_MEMORY):
            raise LimitExceededError(
                f"Source {self._source_type} needs more than {self._memory_mib} MiB of memory; "
                "raise AIRBYTE_SERVER_CONNECTOR_MEMORY_MIB or read fewer streams at once."
            )

    def stop(self) -> None:
        """End the connector from another thread, as if it had nothing more to say."""
        with self._reaping:
            if self._exit_code is None:
                self.stopped = True
                kill_tree(self._pid)

    def kill(self) -> None:
        """End the connector if it still runs."""
        if self._exit_code is None:
            kill_tree(self._pid)
            self._wait()

    def _wait(self, patience: float | None = None) -> int:
        """The exit code; a connector that closed its output and does not end is killed after so many seconds."""
        if self._exit_code is None:
            deadline = None if patience is None else time.monotonic() + patience
            while deadline is not None and not self._has_ended() and time.monotonic() < deadline:
                time.sleep(_TICK_SECONDS)
            if deadline is not None and not self._has_ended():
                self._is_overdue = True
                kill_tree(self._pid)
            os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT)
            with self._reaping:
                self._exit_code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
            self._connector.close()
            self._lines.close()
        return self._exit_code

    def _has_ended(self) -> bool:
        with contextlib.suppress(ChildProcessError):
            return os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
        return True

    def _keep_complaints(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb") as lines:
            while line := lines.readline(_LONGEST_COMPLAINT):
                self._complaints.append(line)

    def complaints(self) -> list[str]:
        """The last lines that it wrote to stderr."""
        self._drain.join(1)
        return [line.decode(errors="replace").strip() for line in list(self._complaints)]

    def _last_complaint(self) -> str:
        said = self.complaints()
        return f" It said: {said[-1]}" if said else ""


def _how(code: int) -> str:
    if code == -9:
        return "signal 9 (the machine may have run out of memory)"
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _parsed(line: bytes) -> JsonObject:
    try:
        message = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return message if isinstance(message, dict) else {}
