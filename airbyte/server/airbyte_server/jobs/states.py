"""Keeps the states of a job, from the job's own process."""

from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from airbyte_server.errors import PermanentError
from airbyte_server.jobs.messages import JobOrder, JsonObject
from airbyte_server.loader.decoding import encode
from airbyte_server.sync_modes import INCREMENTAL

_SAVE_STATE = """
insert into airbyte.stream_states (connection_id, stream, namespace, state)
select %(connection_id)s, %(stream)s, %(namespace)s, %(state)s
where exists (select from airbyte.jobs where job_id = %(job_id)s and status = 'running')
on conflict (connection_id, stream, namespace) do update set state = excluded.state, updated_at = now()
"""


class StateSaver:
    """Keeps the state of incremental streams; a job that was ended meanwhile saves nothing more."""

    def __init__(self, order: JobOrder) -> None:
        self._order = order
        self._incremental = {
            (target.stream, target.source_namespace or "")
            for target in order.targets
            if target.sync_mode in INCREMENTAL
        }
        self._connection: psycopg.Connection[Any] | None = None

    def __enter__(self) -> "StateSaver":
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()

    def save(self, state: JsonObject) -> None:
        """Store one `state` object; of a full-refresh stream or of a sample it is dropped."""
        descriptor = (state.get("stream") or {}).get("stream_descriptor") or {}
        stream, namespace = descriptor.get("name") or "", descriptor.get("namespace") or ""
        is_kept = (stream, namespace) in self._incremental or (not stream and bool(self._incremental))
        if self._order.record_limit is not None or not is_kept:
            return
        if self._connection is None:
            self._connection = psycopg.connect(self._order.state_database, autocommit=True)
        saved = self._connection.execute(
            _SAVE_STATE,
            {
                "connection_id": self._order.connection_id,
                "job_id": self._order.job_id,
                "stream": stream,
                "namespace": namespace,
                "state": Jsonb(state, dumps=encode),  # the loader reads long numbers as Decimal
            },
        )
        if saved.rowcount == 0:
            raise PermanentError("The job was ended while it ran.", job_id=self._order.job_id)
