"""Jobs as rows: every change of status is one conditional statement, so that two writers cannot both win."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from airbyte_server.errors import ConflictError, NotFoundError
from airbyte_server.state.tables import connections, job_attempts, jobs, stream_states
from airbyte_server.sync_modes import FULL_REFRESHES

ACTIVE = ("pending", "running", "incomplete")
_LONGEST_SENTENCE = 4000

JsonObject = dict[str, Any]
JobRow = Row[Any]


def create_job(connection: Connection, connection_id: str, job_type: str, budget: JsonObject | None = None) -> JobRow:
    """A pending job, of a sample if it has a budget; ConflictError names the job that the connection is busy with."""
    found = connection.execute(
        select(connections).where(connections.c.connection_id == connection_id).with_for_update(read=True)
    ).first()
    if found is None:
        raise NotFoundError(f"There is no connection {connection_id}.")
    if found.status != "active":
        raise ConflictError(f"Connection {found.name!r} is {found.status}; make it active first.")
    row = {"connection_id": connection_id, "job_type": job_type, "status": "pending", "budget": budget}
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


def end_job(connection: Connection, job_id: int, status: str, *, reason: str | None = None) -> bool:
    """Give the job its last status; False if it had one already."""
    now = func.now()
    reason = None if reason is None else storable(reason)
    values = {"failure_reason": reason, "ended_at": now, "updated_at": now}
    active = update(jobs).where(jobs.c.job_id == job_id, jobs.c.status.in_(ACTIVE))
    if connection.execute(active.values(status=status, next_attempt_at=None, **values)).rowcount == 0:
        return False
    running = update(job_attempts).where(job_attempts.c.job_id == job_id, job_attempts.c.status == "running")
    connection.execute(running.values(status="failed", **values))
    return True


def storable(sentence: str) -> str:
    """A connector may say anything; PostgreSQL takes neither NUL nor half a character."""
    return sentence.encode(errors="replace").decode().replace("\0", "")[:_LONGEST_SENTENCE]


def prune_jobs(connection: Connection, older_than: timedelta, *, limit: int = 200) -> int:
    """Forget ended jobs, with their logs; the newest job of each connection stays. How many went."""
    newer = jobs.alias()
    has_newer = select(newer.c.job_id).where(
        newer.c.connection_id == jobs.c.connection_id, newer.c.job_id > jobs.c.job_id
    )
    old = select(jobs.c.job_id).where(jobs.c.ended_at < func.now() - older_than, has_newer.exists()).limit(limit)
    return connection.execute(delete(jobs).where(jobs.c.job_id.in_(old))).rowcount


def prune_samples(connection: Connection, older_than: timedelta) -> int:
    """Forget what was sampled once and not since, with its jobs; how many went."""
    recent = or_(jobs.c.ended_at.is_(None), jobs.c.ended_at >= func.now() - older_than)
    used = select(jobs.c.job_id).where(jobs.c.connection_id == connections.c.connection_id, recent)
    return connection.execute(delete(connections).where(connections.c.is_sample, ~used.exists())).rowcount


def close_connections(connection: Connection, condition: ColumnElement[bool]) -> list[int]:
    """Let these connections, which are about to be removed, start no more jobs; the ids of those they have."""
    closed = update(connections).where(condition).values(status="deprecated").returning(connections.c.connection_id)
    ids = list(connection.execute(closed).scalars())
    query = select(jobs.c.job_id).where(jobs.c.connection_id.in_(ids), jobs.c.status.in_(ACTIVE))
    return list(connection.execute(query).scalars())


def begin_generations(
    connection: Connection, connection_id: str, streams: Sequence[JsonObject], *, all_new: bool = False
) -> dict[tuple[str, str], int]:
    """The generation of each stream of a new job; a full refresh begins a new one, without an older server's state.

    `all_new` begins one for every stream. Generations only grow: a job that fails has used its own up.
    """
    generations = {}
    for stream in streams:
        forgets = stream["syncMode"] in FULL_REFRESHES
        is_new = all_new or forgets
        name, namespace = stream["name"], stream.get("namespace") or ""
        row = {"connection_id": connection_id, "stream": name, "namespace": namespace, "generation_id": int(is_new)}
        statement = upsert(stream_states).values(row)
        number = connection.execute(
            statement.on_conflict_do_update(
                index_elements=["connection_id", "stream", "namespace"],
                set_={
                    "generation_id": stream_states.c.generation_id + int(is_new),
                    "state": null() if forgets else stream_states.c.state,
                },
            ).returning(stream_states.c.generation_id)
        ).scalar_one()
        generations[name, namespace] = number
    return generations


def delete_connections(connection: Connection, connection_ids: Sequence[str]) -> None:
    """Remove connections with their jobs and generations."""
    connection.execute(delete(connections).where(connections.c.connection_id.in_(connection_ids)))


def iso_duration(started: datetime, ended: datetime) -> str:
    """A duration as ISO 8601, e.g. PT1.2S."""
    return f"PT{max(0.0, (ended - started).total_seconds()):.3f}".rstrip("0").rstrip(".") + "S"
