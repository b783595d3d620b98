"""Rows and the states that cover them, in one transaction."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from airbyte_server.errors import RetryableError
from airbyte_server.loader import database, state_table
from airbyte_server.loader.database import Connection
from airbyte_server.loader.messages import JsonObject, StreamKey
from airbyte_server.loader.states import StateLedger
from airbyte_server.loader.streams import StreamLoad


@dataclass(frozen=True)
class StateOwner:
    """Whose states are kept, and which version of them the job was planned with."""

    connection_id: str
    planned_version: str


class Commits:
    """Decides which streams commit together: each by itself, or all of them where a state covers all.

    One stream by itself holds locks for a shorter time, and its trouble costs no other stream a batch.
    """

    def __init__(
        self,
        streams: Mapping[StreamKey, StreamLoad],
        *,
        sync_id: int,
        owner: StateOwner | None,
        on_state: Callable[[JsonObject], None],
        before_commit: Callable[[], None],
    ) -> None:
        self._streams = streams
        self._targets = [stream.target for stream in streams.values()]
        self._sync_id = sync_id
        self._owner = owner
        self._on_state = on_state
        self._before_commit = before_commit
        self._ledger = StateLedger()
        self._ending: list[StreamLoad] = []

    def check(self, connection: Connection) -> None:
        """RetryableError where another job has committed states since this one was planned; call it under the locks."""
        if self._owner is None:
            return
        known = state_table.read(connection, self._owner.connection_id, self._targets)
        if known.version != self._owner.planned_version:
            raise RetryableError("The states of the connection changed since the job was planned; try again.")

    def add_state(self, connection: Connection, state: JsonObject) -> None:
        """Keep a state until its rows are committed; a stream whose end waited for it ends now."""
        key = self._ledger.add(state)
        for stream in self._streams.values() if key is None else [self._streams[key]]:
            stream.cover()
        self._end(connection, [stream for stream in self._ending if self._may_commit(stream)])

    def checkpoint(self, connection: Connection) -> None:
        """Commit what may be committed before the streams' ends, and every state that then is true."""
        ready = [stream for stream in self._streams.values() if stream.dirty and self._may_commit(stream)]
        for group in self._groups(ready):
            self._commit(connection, group, last=())
        if self._covered(()):
            self._commit(connection, [], last=())

    def finish(self, connection: Connection, stream: StreamLoad) -> None:
        """The stream was read to its end; rows that no state covers yet wait for one, or for the source's end."""
        if stream.whole or self._may_commit(stream):
            self._end(connection, [stream])
        elif stream not in self._ending:
            self._ending.append(stream)

    def finish_rest(self, connection: Connection, streams: Iterable[StreamLoad]) -> None:
        """The source has ended well: these streams and those whose end waits are complete, covered or not."""
        self._end(connection, [*self._ending, *(stream for stream in streams if stream not in self._ending)])

    def is_ending(self, stream: StreamLoad) -> bool:
        """Whether the stream was read to its end, and its last rows wait."""
        return stream in self._ending

    def _end(self, connection: Connection, streams: Sequence[StreamLoad]) -> None:
        for group in self._groups(streams):
            self._commit(connection, group, last=group)
        self._ending = [stream for stream in self._ending if not stream.outcome.complete]

    def _may_commit(self, stream: StreamLoad) -> bool:
        self._before_commit()  # rows under way are not there yet
        if stream.whole or not stream.is_covered:
            return False
        # Of what one state covers all rows are committed, or none.
        others = self._streams.values() if self._ledger.has_shared and stream.keeps_state else ()
        return all(other.is_covered for other in others if other.keeps_state and not other.whole)

    def _groups(self, streams: Sequence[StreamLoad]) -> list[list[StreamLoad]]:
        if not self._ledger.has_shared:
            return [[stream] for stream in streams]
        together = [stream for stream in streams if not stream.whole]
        return [*([stream] for stream in streams if stream.whole), *([together] if together else [])]

    def _commit(self, connection: Connection, streams: Sequence[StreamLoad], *, last: Collection[StreamLoad]) -> None:
        if self._ledger.has_shared and any(not stream.whole for stream in streams):
            rest = (stream for stream in self._streams.values() if stream.dirty and self._may_commit(stream))
            streams = [*streams, *(stream for stream in rest if stream not in streams)]
        self._before_commit()
        for stream in streams:
            stream.flush(connection)
        with connection.transaction():
            for stream in streams:
                with database.naming_errors(stream.target.stream):
                    stream.commit(connection, last=stream in last)
            states = self._covered(streams)
            self._keep(connection, [stream for stream in last if stream.whole], states)
        for stream in streams:
            stream.committed(last=stream in last)
        self._ledger.remove(states)
        for state in states:
            self._on_state(state)

    def _keep(self, connection: Connection, replaced: Sequence[StreamLoad], states: Sequence[JsonObject]) -> None:
        if self._owner is None:
            return
        connection_id = self._owner.connection_id
        if replaced:
            # A stream that keeps no state takes from no other the one that they share.
            keeps = not any(stream.keeps_state for stream in replaced)
            targets = [stream.target for stream in replaced]
            state_table.forget(connection, connection_id, targets, keeps_indivisible=keeps)
        kept = [stream.target for stream in self._streams.values() if stream.keeps_state]
        for state in states:
            state_table.save(connection, connection_id, self._sync_id, kept, state)

    def _covered(self, committing: Collection[StreamLoad]) -> list[JsonObject]:
        """The states that are true once these streams are committed."""
        outstanding = {
            key
            for key, stream in self._streams.items()
            if stream not in committing and (stream.dirty or (stream.whole and not stream.outcome.complete))
        }
        is_shared_outstanding = any(self._streams[key].keeps_state for key in outstanding)
        return self._ledger.covered(outstanding, is_shared_outstanding)
