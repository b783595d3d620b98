"""The lines of a connector, none longer than it may be; what is no message becomes a bounded number of log lines."""

import contextlib
import fcntl
import os
import select
import time
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter

import orjson

from airbyte_server.connectors.limits import ConnectorLimits
from airbyte_server.errors import PermanentError, RetryableError

_PIPE_BYTES = 1 << 20
_BATCH_BYTES = 1 << 16
"""A batch whose values fit into the processor's cache takes half the time of one that does not."""
_TICK_MILLISECONDS = 500
_LOGGED_STRAYS = 100
_BRACE = set(b"{")
_LONGEST_STRAY = 1 << 16


class LimitExceededError(PermanentError):
    """A connector passed one of its limits; the sentence names the limit's setting."""


class ConnectorLines:
    """Reads what a connector writes, until it has ended: something that it left may hold the pipe's other end."""

    def __init__(self, descriptor: int, has_ended: Callable[[], bool], limits: ConnectorLimits) -> None:
        self._descriptor = descriptor
        self._has_ended = has_ended
        self._limits = limits
        self._longest = limits.longest_line_mib << 20
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self._quiet_since: float | None = None
        self._strays = 0
        self.unfinished = b""
        """What the connector wrote after its last newline."""
        with contextlib.suppress(OSError, AttributeError):  # no such call, or the user's pipes are full
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def batches(self) -> Iterator[Sequence[bytes]]:
        """Messages, and log messages in the place of other lines, as many as are there; none after a quiet while.

        They have no newline at their end.
        LimitExceededError for a line that is too long, of which no more than that is held; RetryableError for silence.
        """
        begun: list[bytes] = []
        held = 0
        while (chunk := self._read()) != b"":
            if chunk is None:
                yield ()
                continue
            whole, newline, rest = chunk.rpartition(b"\n")
            if newline:
                text = b"".join((*begun, whole))
                begun, held = [], 0
                lines = text.split(b"\n")
                if len(text) > self._longest and max(map(len, lines)) > self._longest:
                    raise self._too_long()
                yield lines if _all_begin_objects(lines) else list(self._messages(lines))
            begun.append(rest)
            held += len(rest)
            if held > self._longest:
                raise self._too_long()
        self.unfinished = b"".join(begun)
        if self._strays > _LOGGED_STRAYS:
            yield [_log_line(f"{self._strays - _LOGGED_STRAYS} more lines of the connector were no messages.")]

    def close(self) -> None:
        """Read no more; again is nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _read(self) -> bytes | None:
        """What is there; None after a quiet while, nothing at the end."""
        if self._poll.poll(_TICK_MILLISECONDS) or (self._has_ended() and self._poll.poll(0)):
            self._quiet_since = None
            return os.read(self._descriptor, _BATCH_BYTES)
        if self._has_ended():
            return b""
        self._quiet_since = self._quiet_since or time.monotonic()  # not while nobody reads
        if time.monotonic() - self._quiet_since > self._limits.silence_seconds:
            raise RetryableError(
                f"The connector wrote nothing for {self._limits.silence_seconds:g} s, which is all that "
                "AIRBYTE_SERVER_CONNECTOR_SILENCE_SECONDS allows."
            )
        return None

    def _too_long(self) -> LimitExceededError:
        return LimitExceededError(
            f"The connector wrote a line of more than {self._limits.longest_line_mib} MiB; leave the field that is so "
            "large out of the connection, or raise AIRBYTE_SERVER_CONNECTOR_LONGEST_LINE_MIB."
        )

    def _messages(self, lines: Sequence[bytes]) -> Iterator[bytes]:
        for line in lines:
            if line.startswith(b"{"):
                yield line
            elif b'"RECORD"' in line or b'"STATE"' in line:
                raise PermanentError("The connector wrote other text into the line of a record or state; it is broken.")
            elif line and not line.isspace():
                self._strays += 1
                if self._strays <= _LOGGED_STRAYS:
                    yield _log_line(f"No message: {line[:_LONGEST_STRAY].decode(errors='replace').strip()}")


def _all_begin_objects(lines: Sequence[bytes]) -> bool:
    try:
        return set(map(itemgetter(0), lines)) == _BRACE
    except IndexError:
        return False


def _log_line(text: str) -> bytes:
    return orjson.dumps({"type": "LOG", "log": {"level": "WARN", "message": text}})
