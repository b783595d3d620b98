"""What connectors answered lately."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar

MOST_ANSWERS = 256

Answer = TypeVar("Answer")


class AnswerCache:
    """Keeps the answers used last, for some seconds; who asks while another asks the same waits for that."""

    def __init__(self, *, seconds: float, most: int = MOST_ANSWERS) -> None:
        self._seconds = seconds
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()
        self._asked: dict[Hashable, Future[Any]] = {}

    def answer(
        self,
        key: Hashable,
        ask: Callable[[], Answer],
        *,
        fresh: bool = False,
        is_kept: Callable[[Answer], bool] = lambda answer: True,
    ) -> Answer:
        """The kept answer, or else what `ask` gives; with `fresh` that in any case. Errors are not kept."""
        mine: Future[Answer] = Future()
        with self._lock:
            until, kept = self._kept.get(key, (0.0, None))
            if not fresh and time.monotonic() < until:
                self._kept.move_to_end(key)
                found: Answer = kept
                return found
            theirs = None if fresh else self._asked.get(key)
            if theirs is None:
                self._asked[key] = mine
        if theirs is not None:
            awaited: Answer = theirs.result()
            return awaited
        try:
            answer = ask()
        except BaseException as error:
            self._finish(key, mine)
            mine.set_exception(error)
            raise
        if is_kept(answer):
            self._keep(key, answer)
        self._finish(key, mine)
        mine.set_result(answer)
        return answer

    def _keep(self, key: Hashable, answer: object) -> None:
        with self._lock:
            self._kept[key] = time.monotonic() + self._seconds, answer
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def _finish(self, key: Hashable, mine: Future[Any]) -> None:
        with self._lock:
            if self._asked.get(key) is mine:
                del self._asked[key]
