"""Reads what a started connector writes, to its end or to a bound."""

import contextlib
import os
import selectors
import time
from dataclasses import dataclass, field

from airbyte_server.connectors.process_tree import kill_tree
from airbyte_server.connectors.starting import StartedConnector

_PIECE = 1 << 20
_LONGEST_COMPLAINT = 1 << 20
_RECORD = b'{"type":"RECORD"'


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Where a run is ended that does not end by itself."""

    seconds: float = 60.0
    records: int | None = None


@dataclass
class Written:
    """What came of both pipes, whole lines alone; `cut` says why it was ended."""

    lines: list[bytes] = field(default_factory=list)
    complaints: bytes = b""
    cut: str | None = None
    code: int = 0


def follow(started: StartedConnector, bounds: Bounds) -> Written:
    """All that it writes; it is gone afterwards. No thread is started, so that the process may go on forking."""
    written = Written(cut="it was stopped")
    try:
        with os.fdopen(started.stdout, "rb", buffering=0) as out, os.fdopen(started.stderr, "rb", buffering=0) as err:
            written.cut = _read(written, out.fileno(), err.fileno(), bounds)
    finally:
        if written.cut:
            kill_tree(started.pid)
        written.code = os.waitstatus_to_exitcode(os.waitpid(started.pid, 0)[1])
    return written


def _read(written: Written, out: int, err: int, bounds: Bounds) -> str | None:
    """Why it ended before its end, if it did."""
    deadline = time.monotonic() + bounds.seconds
    rest, records = b"", 0
    with contextlib.closing(selectors.DefaultSelector()) as waiting:
        for pipe in (out, err):
            waiting.register(pipe, selectors.EVENT_READ)
        while waiting.get_map():
            ready = waiting.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                return f"it was ended after {bounds.seconds:g} s"
            for key, _ in ready:
                piece = os.read(key.fd, _PIECE)
                if not piece:
                    waiting.unregister(key.fd)
                elif key.fd == err:
                    written.complaints = (written.complaints + piece)[-_LONGEST_COMPLAINT:]
                else:
                    *whole, rest = (rest + piece).split(b"\n")
                    written.lines += [line for line in whole if line]
                    records += sum(line.startswith(_RECORD) for line in whole)
            if bounds.records is not None and records >= bounds.records:
                return f"it was ended after {records} records"
    return None
