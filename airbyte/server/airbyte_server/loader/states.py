"""STATE messages that wait for the rows they cover."""

from collections.abc import Callable, Collection

from airbyte_server.loader.messages import JsonObject, StreamKey, state_stream


class StateLedger:
    """Hands states on in order, each once no row it covers is outstanding."""

    def __init__(self, on_state: Callable[[JsonObject], None]) -> None:
        self._on_state = on_state
        self._waiting: list[tuple[StreamKey | None, JsonObject]] = []

    def add(self, state: JsonObject) -> None:
        """Keep a state; an older one of the same stream that still waits is superseded."""
        key = state_stream(state)
        self._waiting = [waiting for waiting in self._waiting if waiting[0] != key]
        self._waiting.append((key, state))

    def release(self, outstanding: Collection[StreamKey]) -> None:
        """Hand on every state that covers none of the `outstanding` streams."""
        kept = []
        for key, state in self._waiting:
            if outstanding and (key is None or key in outstanding):
                kept.append((key, state))
            else:
                self._on_state(state)
        self._waiting = kept
