"""Syncs that ended: the fleet's history by stream and job, and the control plane's own note of each job."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert

from analysis.store.fleet import airbyte_sync_history
from analysis.store.tables import sync_runs


@dataclass(frozen=True)
class StreamCount:
    """What a job brought of one stream; None where Airbyte does not say."""

    records: int | None = None
    bytes: int | None = None


@dataclass(frozen=True)
class EndedSync:
    """A job that ended, in whatever way, and what it brought by stream."""

    connection_id: str
    connection_name: str
    job_id: str
    status: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    streams: Mapping[str, StreamCount] = field(default_factory=dict)


def record_sync(connection: Connection, tenant_id: str, source: str, sync: EndedSync) -> bool:
    """Remember a job, one row per stream; False where it was known already, and then nothing changes."""
    if not _add_history(connection, tenant_id, sync):
        return False
    counts = sync.streams.items()
    values = {
        "status": sync.status,
        "rows": {name: count.records for name, count in counts if count.records is not None},
        "bytes": sum(count.bytes or 0 for _, count in counts),
        "started_at": func.coalesce(sync.started_at, func.now()),
        "finished_at": func.coalesce(sync.ended_at, func.now()),
    }
    note = upsert(sync_runs).values(tenant_id=tenant_id, source=source, job_id=sync.job_id, **values)
    # Another Airbyte, to which the tenant moved, may give out a number again: the newest job of a number is noted.
    connection.execute(note.on_conflict_do_update(index_elements=["tenant_id", "source", "job_id"], set_=values))
    return True


def _add_history(connection: Connection, tenant_id: str, sync: EndedSync) -> bool:
    shared = {
        "tenant_id": tenant_id,
        "connection_id": sync.connection_id,
        "connection_name": sync.connection_name,
        "job_id": sync.job_id,
        "status": sync.status,
        "started_at": sync.started_at,
        "last_sync_at": func.coalesce(sync.ended_at, func.now()),
    }
    streams: list[tuple[str | None, StreamCount]] = [*sync.streams.items()] or [(None, StreamCount())]
    rows = [
        {**shared, "stream": stream, "records_synced": count.records, "bytes_synced": count.bytes}
        for stream, count in streams
    ]
    added = upsert(airbyte_sync_history).values(rows).on_conflict_do_nothing()
    return bool(connection.execute(added.returning(airbyte_sync_history.c.sync_id)).all())


def recorded_syncs(connection: Connection, keys: Iterable[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    """Which of these (tenant, connection, job) are in the history."""
    history = airbyte_sync_history.c
    columns = history.tenant_id, history.connection_id, history.job_id
    found = connection.execute(select(*columns).where(tuple_(*columns).in_(list(keys))).distinct())
    return {(tenant, connection_id, job_id) for tenant, connection_id, job_id in found}


def newest_rows(connection: Connection, tenant_id: str) -> dict[str, dict[str, int]]:
    """Records by stream that the newest job of each of the tenant's sources brought."""
    columns = sync_runs.c.source, sync_runs.c.rows
    newest = (
        select(*columns)
        .where(sync_runs.c.tenant_id == tenant_id)
        .distinct(sync_runs.c.source)
        .order_by(sync_runs.c.source, sync_runs.c.finished_at.desc())
    )
    return {source: dict(rows) for source, rows in connection.execute(newest)}


def newest_sync_at(connection: Connection) -> datetime | None:
    """When the newest job ended that the history of any tenant has."""
    return connection.execute(select(func.max(airbyte_sync_history.c.last_sync_at))).scalar()
