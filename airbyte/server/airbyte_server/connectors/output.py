"""Where a connector's words go that it does not write as messages itself: its log, and what it prints."""

import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout

WriteLine = Callable[[bytes], object]


class _LogLines(logging.Handler):
    def __init__(self, write_line: WriteLine) -> None:
        super().__init__()
        self._write_line = write_line

    def emit(self, record: logging.LogRecord) -> None:
        self._write_line(self.format(record).encode() + b"\n")


class _Printed(io.TextIOBase):
    """Where prints go: airbyte-cdk prints renewed tokens as messages, which stderr would carry into a log."""

    def __init__(self, write_line: WriteLine) -> None:
        self._write_line = write_line
        self._begun: dict[int, str] = {}  # by thread, so that lines stay whole

    def write(self, text: str) -> int:
        *lines, rest = (self._begun.pop(threading.get_ident(), "") + text).split("\n")
        if rest:
            self._begun[threading.get_ident()] = rest
        for line in lines:
            if line.startswith('{"type":"CONTROL"'):
                self._write_line(line.encode() + b"\n")
            else:
                sys.stderr.write(line + "\n")
        return len(text)


@contextmanager
def logging_to(write_line: WriteLine) -> Iterator[None]:
    """The connector's log becomes LOG messages; what it prints goes to stderr, unless it is a message of its own."""
    from airbyte_cdk.logger import AirbyteLogFormatter

    handler = _LogLines(write_line)
    handler.setFormatter(AirbyteLogFormatter())
    logger = logging.getLogger("airbyte")
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    hook = sys.excepthook
    try:
        with redirect_stdout(_Printed(write_line)):
            yield
    finally:
        sys.excepthook = hook
        logger.removeHandler(handler)
        logger.propagate = propagated
