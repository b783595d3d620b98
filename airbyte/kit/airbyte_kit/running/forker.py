"""A process with one thread that forks connectors, as the server's does, and says what each wrote.

Whoever runs a check has threads, such as those of a replayed API: what one of them holds at a fork stays held in the
child.
"""

import gc
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from airbyte_server.connectors.process_tree import die_with_parent_thread
from airbyte_server.connectors.starting import ConnectorCall, start_connector
from airbyte_server.errors import ServerError

from airbyte_kit.errors import KitError
from airbyte_kit.running.following import Bounds, follow
from airbyte_kit.running.journal import read_journal
from airbyte_kit.running.run import Run

if TYPE_CHECKING:
    from airbyte_kit.running.watching import Injected

Pace = Literal["real", "unhurried", "standing"]


@dataclass(frozen=True, kw_only=True)
class Order:
    """One command of a connector; its pauses are kept at the pace "real" alone."""

    call: ConnectorCall
    pace: Pace
    bounds: Bounds
    injected: "Injected | None" = None


class Forker:
    """Runs one connector at a time in a child of that process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin and process.stdout
        self._to, self._from = process.stdin, process.stdout

    def run(self, order: Order) -> Run:
        """The command, run to its end or to its bounds."""
        pickle.dump(order, self._to)
        self._to.flush()
        try:
            answer = pickle.load(self._from)  # noqa: S301 written by our own child
        except EOFError:
            raise KitError("The process that runs connectors is gone; was it killed, or is memory short?") from None
        if isinstance(answer, ServerError):
            raise KitError(answer.sentence)
        assert isinstance(answer, Run)
        return answer


@contextmanager
def forker() -> Iterator[Forker]:
    """A running one, which ends with this process."""
    command = [sys.executable, "-m", "airbyte_kit.running.forker"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Forker(process)
        finally:
            process.kill()


def _serve(orders: BinaryIO, answers: BinaryIO) -> None:
    from airbyte_server.connectors import declarative  # noqa: F401 loaded once, before the children are forked

    die_with_parent_thread()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started it, who ends it
    gc.freeze()  # what is loaded is shared by the children as long as nobody writes to it
    while True:
        try:
            order = pickle.load(orders)  # noqa: S301 written by our own parent
        except EOFError:
            return
        pickle.dump(_run(order), answers)
        answers.flush()


def _run(order: Order) -> Run | ServerError:
    from airbyte_kit.running.surroundings import noted, standing_still, unhurried
    from airbyte_kit.running.watching import Watch

    with tempfile.TemporaryDirectory(prefix="sluice-check-") as folder:
        watch = Watch(Path(folder) / "journal", order.injected)
        with ExitStack() as surroundings:
            match order.pace:
                case "real":
                    surroundings.enter_context(noted(watch.waited))
                case "unhurried":
                    surroundings.enter_context(unhurried(watch.waited))
                case "standing":
                    surroundings.enter_context(standing_still(watch.waited))
            surroundings.enter_context(watch.kept())
            try:
                started = start_connector(order.call)
            except ServerError as error:
                return error
        try:
            written = follow(started, order.bounds)
        finally:
            started.close()
        journal = read_journal(watch.path)
    return Run(written.code, written.lines, written.complaints, journal, written.cut)


if __name__ == "__main__":
    from airbyte_kit.running import forker as this  # pickles name this module, not __main__

    this._serve(sys.stdin.buffer, sys.stdout.buffer)
