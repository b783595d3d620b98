"""The log of a job: numbered lines in the database, of which the newest stay."""

import logging
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from airbyte_server.jobs.store import storable
from airbyte_server.state.storage import Storage
from airbyte_server.state.tables import job_logs

logger = logging.getLogger(__name__)

_BATCH = 500


class JobLog:
    """Writes the lines of one job; a database that does not answer costs lines, never the job."""

    def __init__(self, storage: Storage, job_id: int, *, keep: int) -> None:
        self._storage = storage
        self._job_id = job_id
        self._keep = keep
        self._next = 1
        self._waiting: list[dict[str, Any]] = []

    def add(self, level: str, message: str) -> None:
        """Note one line; it is written by the next `flush`, or when many wait."""
        row = {"job_id": self._job_id, "line": self._next, "level": level[:8], "message": storable(message)}
        self._waiting.append(row)
        self._next += 1
        if len(self._waiting) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write the lines that wait, and drop the oldest beyond what is kept."""
        if not self._waiting:
            return
        rows, self._waiting = self._waiting, []
        try:
            with self._storage.begin() as connection:
                connection.execute(insert(job_logs), rows)
                old = job_logs.c.line <= self._next - 1 - self._keep
                if self._next - 1 > self._keep:
                    connection.execute(delete(job_logs).where(job_logs.c.job_id == self._job_id, old))
        except SQLAlchemyError as error:
            logger.warning("%d log lines of job %d were not stored: %s.", len(rows), self._job_id, type(error).__name__)


def select_lines(job_id: int) -> Select[Any]:
    """The kept lines of a job, oldest first."""
    return select(job_logs).where(job_logs.c.job_id == job_id).order_by(job_logs.c.line)


def last_lines(connection: Connection, job_id: int, count: int) -> list[str]:
    """The newest lines as text, oldest first."""
    newest = select_lines(job_id).order_by(None).order_by(job_logs.c.line.desc()).limit(count)
    return [as_text(row) for row in reversed(connection.execute(newest).all())]


def as_text(row: Row[Any]) -> str:
    """A line as a person reads it."""
    return f"{row.logged_at:%Y-%m-%d %H:%M:%S} {row.level} {row.message}"
