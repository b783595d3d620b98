"""COPY in a thread of its own, so that PostgreSQL reads rows while the next ones are made."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class Upload:
    """At most one statement under way; nothing else may use its connection before `wait` has returned."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="upload")
        self._under_way: Future[None] | None = None

    def start(self, work: Callable[[], None]) -> None:
        """Begin once the one before has ended; raises what that one raised."""
        self.wait()
        self._under_way = self._thread.submit(work)

    def wait(self) -> None:
        """Return once nothing is under way; raises what it raised."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()

    def close(self) -> None:
        """End the thread, after what is under way."""
        self._thread.shutdown()
