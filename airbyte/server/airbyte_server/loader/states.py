"""STATE messages that wait for the rows they cover."""

from collections.abc import Collection

from airbyte_server.loader.messages import JsonObject, StreamKey, state_stream


class StateLedger:
    """Keeps the newest state of each stream, in the order in which they came, until it is committed."""

    def __init__(self) -> None:
        self._waiting: dict[StreamKey | None, JsonObject] = {}

    @property
    def has_shared(self) -> bool:
        """Whether a state waits that covers all streams."""
        return None in self._waiting

    def add(self, state: JsonObject) -> StreamKey | None:
        """Keep a state, whose stream is the answer; an older one of the same stream that still waits is superseded."""
        key = state_stream(state)
        self._waiting.pop(key, None)
        self._waiting[key] = state
        return key

    def covered(self, outstanding: Collection[StreamKey], shared_outstanding: bool) -> list[JsonObject]:
        """Every state that covers no row which is still outstanding, in order."""
        return [
            state
            for key, state in self._waiting.items()
            if (not shared_outstanding if key is None else key not in outstanding)
        ]

    def remove(self, states: Collection[JsonObject]) -> None:
        """These are committed."""
        self._waiting = {key: state for key, state in self._waiting.items() if state not in states}
