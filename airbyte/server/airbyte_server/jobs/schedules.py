"""Starts the jobs of connections that carry a schedule of their own."""

import logging
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from airbyte_server.connections import cron
from airbyte_server.errors import ConflictError, NotFoundError, ServerError
from airbyte_server.jobs import store as job_store
from airbyte_server.state.storage import Storage
from airbyte_server.state.tables import connections, schedule_runs

logger = logging.getLogger(__name__)

_LONGEST_PAUSE = 2.0


class Schedules:
    """Starts what is due; runs that fall due while the last job goes on or the server is down do not pile up."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def start_due(self) -> float:
        """Queue a job for each connection whose time has come; the seconds until the next one, two at most."""
        with self._storage.begin() as connection:
            now = connection.execute(select(func.clock_timestamp())).scalar_one()
            self._note_changed(connection, now)
            due = connection.execute(select(schedule_runs).where(schedule_runs.c.due_at <= now, _is_live())).all()
        for row in due:
            self._start(row, now)
        with self._storage.begin() as connection:
            soonest = connection.execute(select(func.min(schedule_runs.c.due_at)).where(_is_live())).scalar_one()
        return _LONGEST_PAUSE if soonest is None else max(0.0, min(_LONGEST_PAUSE, (soonest - now).total_seconds()))

    def _note_changed(self, connection: Connection, now: datetime) -> None:
        is_known = and_(
            schedule_runs.c.connection_id == connections.c.connection_id,
            schedule_runs.c.schedule == connections.c.schedule,
        )
        new = select(connections.c.connection_id, connections.c.schedule).where(
            _is_scheduled(), ~select(schedule_runs.c.connection_id).where(is_known).exists()
        )
        for row in connection.execute(new).all():
            _note(connection, row.connection_id, row.schedule, now)

    def _start(self, row: Row[Any], now: datetime) -> None:
        with self._storage.begin() as connection:
            try:
                job = job_store.create_job(connection, row.connection_id, "sync")
                logger.info("Job %d was started by the schedule of connection %s.", job.job_id, row.connection_id)
            except (ConflictError, NotFoundError) as error:
                logger.info("The schedule of connection %s starts nothing now: %s", row.connection_id, error)
            _note(connection, row.connection_id, row.schedule, now)


def _is_scheduled() -> ColumnElement[bool]:
    return and_(connections.c.status == "active", connections.c.schedule["scheduleType"].astext == "cron")


def _is_live() -> ColumnElement[bool]:
    """Whether a noted run is that of its connection's present schedule."""
    mine = connections.c.connection_id == schedule_runs.c.connection_id
    is_same = connections.c.schedule == schedule_runs.c.schedule
    return select(connections.c.connection_id).where(mine, is_same, _is_scheduled()).exists()


def _note(connection: Connection, connection_id: str, schedule: dict[str, Any], now: datetime) -> None:
    due = _next_run(connection_id, schedule, now)
    values = {"schedule": schedule, "due_at": due}
    statement = upsert(schedule_runs).values(connection_id=connection_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["connection_id"], set_=values))


def _next_run(connection_id: str, schedule: dict[str, Any], now: datetime) -> datetime | None:
    try:
        return cron.next_time(str(schedule.get("cronExpression")), now)
    except ServerError as error:  # stored by an older server, which checked less
        logger.warning("The schedule of connection %s cannot run: %s", connection_id, error)
        return None
