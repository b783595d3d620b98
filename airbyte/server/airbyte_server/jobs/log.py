"""The log of a job: numbered lines in the database, of which the newest stay."""

import logging
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from airbyte_server.jobs.store import storable
from airbyte_server.state.storage import Storage
from airbyte_server.state.tables import job_logs

logger = logging.getLogger(__name__)

_BATCH = 500


class JobLog:
    """Writes the lines of one attempt; a database that does not answer costs lines, never the job."""

    def __init__(self, storage: Storage, job_id: int, *, keep: int, attempt: int = 0) -> None:
        self._storage = storage
        self._job_id = job_id
        self._attempt = attempt
        self._keep = keep
        self._last: int | None = None
        self._waiting: list[dict[str, Any]] = []

    def add(self, level: str, message: str) -> None:
        """Note one line; it is written by the next `flush`, or when many wait."""
        self._waiting.append({"level": level[:8], "message": storable(message)})
        if len(self._waiting) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write the lines that wait, and drop the oldest beyond what is kept."""
        if not self._waiting:
            return
        rows, self._waiting = self._waiting, []
        try:
            with self._storage.begin() as connection:
                self._last = self._write(connection, rows)
        except SQLAlchemyError as error:
            logger.warning("%d log lines of job %d were not stored: %s.", len(rows), self._job_id, type(error).__name__)

    def _write(self, connection: Connection, rows: list[dict[str, Any]]) -> int:
        mine = job_logs.c.job_id == self._job_id
        last = self._last
        if last is None:  # the attempts before this one wrote lines too
            last = connection.execute(select(func.coalesce(func.max(job_logs.c.line), 0)).where(mine)).scalar_one()
        numbered = [
            {"job_id": self._job_id, "attempt": self._attempt, "line": line, **row}
            for line, row in enumerate(rows, start=last + 1)
        ]
        connection.execute(insert(job_logs), numbered)
        newest = last + len(rows)
        if newest > self._keep:
            connection.execute(delete(job_logs).where(mine, job_logs.c.line <= newest - self._keep))
        return newest


def select_lines(job_id: int, attempt: int | None = None) -> Select[Any]:
    """The kept lines of a job, or of one attempt, oldest first."""
    query = select(job_logs).where(job_logs.c.job_id == job_id).order_by(job_logs.c.line)
    return query if attempt is None else query.where(job_logs.c.attempt == attempt)


def last_lines(connection: Connection, job_id: int, attempt: int, count: int) -> list[str]:
    """The newest lines of an attempt as text, oldest first."""
    newest = select_lines(job_id, attempt).order_by(None).order_by(job_logs.c.line.desc()).limit(count)
    return [as_text(row) for row in reversed(connection.execute(newest).all())]


def as_text(row: Row[Any]) -> str:
    """A line as a person reads it."""
    return f"{row.logged_at:%Y-%m-%d %H:%M:%S} {row.level} {row.message}"
