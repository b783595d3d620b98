"""Jobs as rows: every change of status is one conditional statement, so that two writers cannot both win."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, null, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from airbyte_server.errors import ConflictError, NotFoundError
from airbyte_server.state.tables import connections, jobs, stream_states, workspaces
from airbyte_server.sync_modes import FULL_REFRESHES

ACTIVE = ("pending", "running")
_LONGEST_SENTENCE = 4000
INTERRUPTED = "The server stopped while the job ran; start it again."

JsonObject = dict[str, Any]
JobRow = Row[Any]


def create_job(connection: Connection, connection_id: str, job_type: str, record_limit: int | None) -> JobRow:
    """A pending job; ConflictError names the job that the connection is busy with."""
    found = connection.execute(
        select(connections).where(connections.c.connection_id == connection_id).with_for_update(read=True)
    ).first()
    if found is None:
        raise NotFoundError(f"There is no connection {connection_id}.")
    if found.status != "active":
        raise ConflictError(f"Connection {found.name!r} is {found.status}; make it active first.")
    row = {"connection_id": connection_id, "job_type": job_type, "status": "pending", "record_limit": record_limit}
    try:
        with connection.begin_nested():
            return connection.execute(insert(jobs).values(row).returning(jobs)).one()
    except IntegrityError:
        busy = connection.execute(
            select(jobs).where(jobs.c.connection_id == connection_id, jobs.c.status.in_(ACTIVE))
        ).first()
        which = f"job {busy.job_id}, which is {busy.status}" if busy else "a job, which has just ended"
        raise ConflictError(f"The connection already has {which}; wait for it or cancel it.") from None


def get_job(connection: Connection, job_id: int) -> JobRow:
    """The job, or NotFoundError."""
    row = connection.execute(select(jobs).where(jobs.c.job_id == job_id)).first()
    if row is None:
        raise NotFoundError(f"There is no job {job_id}.")
    return row


def claim_next(connection: Connection) -> JobRow | None:
    """A pending job, now running; None if there is none.

    The workspace with the fewest running jobs is next, of those the one that has waited longest since its last job: one
    that queues a hundred jobs holds nobody up.
    """
    busy = jobs.alias()
    theirs = connections.alias()
    running = (
        select(func.count())
        .select_from(busy.join(theirs, theirs.c.connection_id == busy.c.connection_id))
        .where(busy.c.status == "running", theirs.c.workspace_id == workspaces.c.workspace_id)
        .scalar_subquery()
    )
    chosen = connection.execute(
        select(jobs.c.job_id, workspaces.c.workspace_id)
        .join(connections, connections.c.connection_id == jobs.c.connection_id)
        .join(workspaces, workspaces.c.workspace_id == connections.c.workspace_id)
        .where(jobs.c.status == "pending")
        .order_by(running, workspaces.c.served_at.asc().nulls_first(), jobs.c.job_id)
        .limit(1)
        .with_for_update(of=jobs, skip_locked=True)
    ).first()
    if chosen is None:
        return None
    now = func.clock_timestamp()
    served = update(workspaces).where(workspaces.c.workspace_id == chosen.workspace_id)
    connection.execute(served.values(served_at=now))
    claimed = update(jobs).where(jobs.c.job_id == chosen.job_id, jobs.c.status == "pending")
    return connection.execute(claimed.values(status="running", started_at=now, updated_at=now).returning(jobs)).first()


def end_job(
    connection: Connection, job_id: int, status: str, *, only_if: Sequence[str] = ACTIVE, reason: str | None = None
) -> bool:
    """Give the job its last status; False if it had one already."""
    now = func.now()
    reason = None if reason is None else storable(reason)
    ended = connection.execute(
        update(jobs)
        .where(jobs.c.job_id == job_id, jobs.c.status.in_(only_if))
        .values(status=status, failure_reason=reason, ended_at=now, updated_at=now)
    )
    return ended.rowcount == 1


def storable(sentence: str) -> str:
    """A connector may say anything; PostgreSQL takes neither NUL nor half a character."""
    return sentence.encode(errors="replace").decode().replace("\0", "")[:_LONGEST_SENTENCE]


def fail_interrupted(connection: Connection) -> list[int]:
    """Fail the jobs that a server left running when it died; their ids."""
    now = func.now()
    return list(
        connection.execute(
            update(jobs)
            .where(jobs.c.status == "running")
            .values(status="failed", failure_reason=INTERRUPTED, ended_at=now, updated_at=now)
            .returning(jobs.c.job_id)
        ).scalars()
    )


def store_progress(connection: Connection, job_id: int, streams: Sequence[Mapping[str, Any]]) -> None:
    """Keep what the streams have moved so far."""
    connection.execute(
        update(jobs)
        .where(jobs.c.job_id == job_id)
        .values(
            stream_stats=list(streams),
            bytes_synced=sum(stream["stats"]["bytesEmitted"] for stream in streams),
            rows_synced=sum(stream["stats"]["recordsCommitted"] for stream in streams),
            updated_at=func.now(),
        )
    )


def prune_jobs(connection: Connection, older_than: timedelta, *, limit: int = 200) -> int:
    """Forget ended jobs, with their logs; the newest job of each connection stays. How many went."""
    newer = jobs.alias()
    has_newer = select(newer.c.job_id).where(
        newer.c.connection_id == jobs.c.connection_id, newer.c.job_id > jobs.c.job_id
    )
    old = select(jobs.c.job_id).where(jobs.c.ended_at < func.now() - older_than, has_newer.exists()).limit(limit)
    return connection.execute(delete(jobs).where(jobs.c.job_id.in_(old))).rowcount


def close_connections(connection: Connection, condition: ColumnElement[bool]) -> list[int]:
    """Let these connections, which are about to be removed, start no more jobs; the ids of those they have."""
    closed = update(connections).where(condition).values(status="deprecated").returning(connections.c.connection_id)
    ids = list(connection.execute(closed).scalars())
    query = select(jobs.c.job_id).where(jobs.c.connection_id.in_(ids), jobs.c.status.in_(ACTIVE))
    return list(connection.execute(query).scalars())


def begin_generations(
    connection: Connection, connection_id: str, streams: Sequence[JsonObject]
) -> dict[tuple[str, str], int]:
    """The generation of each stream of a new job; a full refresh begins a new one and forgets its state."""
    generations = {}
    for stream in streams:
        is_new = stream["syncMode"] in FULL_REFRESHES
        name, namespace = stream["name"], stream.get("namespace") or ""
        row = {"connection_id": connection_id, "stream": name, "namespace": namespace, "generation_id": int(is_new)}
        statement = upsert(stream_states).values(row)
        number = connection.execute(
            statement.on_conflict_do_update(
                index_elements=["connection_id", "stream", "namespace"],
                set_={
                    "generation_id": stream_states.c.generation_id + int(is_new),
                    "state": null() if is_new else stream_states.c.state,
                },
            ).returning(stream_states.c.generation_id)
        ).scalar_one()
        generations[name, namespace] = number
    return generations


def states_of(connection: Connection, connection_id: str, streams: Sequence[JsonObject]) -> list[JsonObject]:
    """The stored state objects of these streams, and the global one if there is one."""
    wanted = {(stream["name"], stream.get("namespace") or "") for stream in streams} | {("", "")}
    rows = connection.execute(
        select(stream_states).where(stream_states.c.connection_id == connection_id, stream_states.c.state.is_not(None))
    )
    return [row.state for row in rows if (row.stream, row.namespace) in wanted]


def delete_connections(connection: Connection, connection_ids: Sequence[str]) -> None:
    """Remove connections with their jobs and states."""
    connection.execute(delete(connections).where(connections.c.connection_id.in_(connection_ids)))


def iso_duration(started: datetime, ended: datetime) -> str:
    """A duration as ISO 8601, e.g. PT1.2S."""
    return f"PT{max(0.0, (ended - started).total_seconds()):.3f}".rstrip("0").rstrip(".") + "S"
