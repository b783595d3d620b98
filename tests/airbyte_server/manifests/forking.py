"""A process with one thread that forks connectors, as the server's fork server does, and says what they wrote.

The process of the tests has threads: what one of them holds at a fork stays held in the child for ever.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from airbyte_server.connectors.starting import ConnectorCall, start_connector
from airbyte_server.errors import ServerError

Written = tuple[bytes, bytes]


class Forker:
    """Runs one connector at a time in a child of that process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin and process.stdout
        self._to, self._from = process.stdin, process.stdout

    def run(
        self, call: ConnectorCall, environment: Mapping[str, str] | None = None, opened: Sequence[Path] = ()
    ) -> Written:
        """What it wrote on stdout and stderr; `environment` and the `opened` files are those of whoever forks it."""
        pickle.dump((call, dict(environment or {}), list(opened)), self._to)
        self._to.flush()
        answer = pickle.load(self._from)
        if isinstance(answer, ServerError):
            raise answer
        out, err = answer
        return out, err


@contextmanager
def forker() -> Iterator[Forker]:
    """A running one."""
    command = [sys.executable, __file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Forker(process)
        assert process.stdin
        process.stdin.close()


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    from airbyte_server.connectors import declarative  # noqa: F401 loaded once, before the children are forked

    while True:
        try:
            call, environment, opened = pickle.load(requests)
        except EOFError:
            return
        pickle.dump(_run(call, environment, opened), answers)
        answers.flush()


def _run(call: ConnectorCall, environment: Mapping[str, str], opened: Sequence[Path]) -> Written | ServerError:
    files = [path.open("w") for path in opened]
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        started = start_connector(call)
        with os.fdopen(started.stdout, "rb") as out, os.fdopen(started.stderr, "rb") as err:
            written = out.read(), err.read()
        os.waitpid(started.pid, 0)
    except ServerError as error:
        return error
    finally:
        os.environ.clear()
        os.environ.update(before)
        for file in files:
            file.close()
    return written


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
