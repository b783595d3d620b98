"""Which job is next: fairly between workspaces, and not before its time."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from airbyte_server.jobs.store import JobRow
from airbyte_server.state.tables import connections, job_attempts, jobs, workspaces


def claim_next(connection: Connection, *, busy: Collection[str] = ()) -> JobRow | None:
    """A waiting job, now running its next attempt; None if there is none. Connections that are `busy` wait.

    The workspace with the fewest running jobs is next, of those the one that has waited longest since its last job: one
    that queues a hundred jobs holds nobody up.
    """
    other = jobs.alias()
    theirs = connections.alias()
    running = (
        select(func.count())
        .select_from(other.join(theirs, theirs.c.connection_id == other.c.connection_id))
        .where(other.c.status == "running", theirs.c.workspace_id == workspaces.c.workspace_id)
        .scalar_subquery()
    )
    chosen = connection.execute(
        select(jobs.c.job_id, workspaces.c.workspace_id)
        .join(connections, connections.c.connection_id == jobs.c.connection_id)
        .join(workspaces, workspaces.c.workspace_id == connections.c.workspace_id)
        .where(_is_due(), jobs.c.connection_id.not_in(list(busy)))
        .order_by(running, workspaces.c.served_at.asc().nulls_first(), jobs.c.job_id)
        .limit(1)
        .with_for_update(of=jobs, skip_locked=True)
    ).first()
    if chosen is None:
        return None
    served = update(workspaces).where(workspaces.c.workspace_id == chosen.workspace_id)
    connection.execute(served.values(served_at=func.clock_timestamp()))
    return _begin_attempt(connection, chosen.job_id)


def running_ids(connection: Connection) -> list[int]:
    """The jobs that are `running`."""
    return list(connection.execute(select(jobs.c.job_id).where(jobs.c.status == "running")).scalars())


def seconds_until_due(connection: Connection) -> float | None:
    """How long until the first incomplete job may be tried again; None if there is none."""
    pause = func.extract("epoch", func.min(jobs.c.next_attempt_at) - func.clock_timestamp())
    seconds = connection.execute(select(pause).where(jobs.c.status == "incomplete")).scalar_one()
    return None if seconds is None else max(0.0, float(seconds))


def _is_due() -> ColumnElement[bool]:
    is_its_time = jobs.c.next_attempt_at <= func.clock_timestamp()
    return or_(jobs.c.status == "pending", and_(jobs.c.status == "incomplete", is_its_time))


def _begin_attempt(connection: Connection, job_id: int) -> JobRow | None:
    now = func.clock_timestamp()
    claimed = connection.execute(
        update(jobs)
        .where(jobs.c.job_id == job_id, jobs.c.status.in_(("pending", "incomplete")))
        .values(
            status="running",
            attempts=jobs.c.attempts + 1,
            started_at=func.coalesce(jobs.c.started_at, now),
            next_attempt_at=None,
            failure_reason=None,
            updated_at=now,
        )
        .returning(jobs)
    ).first()
    if claimed is not None:
        number = claimed.attempts - 1
        connection.execute(insert(job_attempts).values(job_id=job_id, attempt=number, status="running", started_at=now))
    return claimed
