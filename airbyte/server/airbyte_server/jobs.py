"""The queue: claims pending jobs, runs each in a process of its own, and writes down how it ended."""

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from airbyte_server import job_store
from airbyte_server.connector_process import ChildProcess, ProcessPool
from airbyte_server.errors import ServerError
from airbyte_server.job_order import JobPlanner
from airbyte_server.job_process import Report, run_job
from airbyte_server.secret_box import scrubbed
from airbyte_server.storage import Storage

logger = logging.getLogger(__name__)

_LOG_LINES = 200
_IDLE_SECONDS = 5.0
_RETRY_SECONDS = 0.5
CANCEL_PATIENCE_SECONDS = 5.0
STOPPED = "The server was stopped while the job ran; start it again."


@dataclass
class _RunningJob:
    job_id: int
    children: list[ChildProcess] = field(default_factory=list)
    stop_reason: str | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def adopt(self, child: ChildProcess) -> None:
        """Let `stop` reach this child; one that starts too late is killed at once."""
        with self.lock:
            self.children.append(child)
            if self.stop_reason is not None:
                child.kill()

    def stop(self, reason: str) -> None:
        """Kill everything of this job."""
        with self.lock:
            self.stop_reason = reason
            for child in self.children:
                child.kill()


class Supervisor:
    """Runs at most `limit` jobs at once, oldest first; `start` fails what a dead server left running."""

    def __init__(self, storage: Storage, planner: JobPlanner, pool: ProcessPool, *, limit: int) -> None:
        self._storage = storage
        self._planner = planner
        self._pool = pool
        self._limit = limit
        self._running: dict[int, _RunningJob] = {}
        self._wake = threading.Condition()
        self._woken = False
        self._stopping = False
        self._dispatcher = threading.Thread(target=self._dispatch, name="job-dispatcher", daemon=True)

    def start(self) -> None:
        """Clean up after a crash, then begin to take jobs."""
        with self._storage.begin() as connection:
            for job_id in job_store.fail_interrupted(connection):
                logger.warning("Job %d was running when the server stopped; it is marked failed.", job_id)
        self._dispatcher.start()

    def wake(self) -> None:
        """Look for pending jobs now."""
        with self._wake:
            self._woken = True
            self._wake.notify_all()

    def cancel(self, job_id: int) -> None:
        """Mark the job cancelled and end its processes; a job that has ended stays as it is."""
        with self._storage.begin() as connection:
            is_cancelled = job_store.end_job(connection, job_id, "cancelled")
        if is_cancelled:
            self._stop(job_id, "The job was cancelled.")

    def stop(self) -> None:
        """Take no more jobs; the running ones fail with a sentence."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
            running = list(self._running.values())
        for job in running:
            job.stop(STOPPED)
        for job in running:
            job.ended.wait(CANCEL_PATIENCE_SECONDS)
        if self._dispatcher.is_alive():
            self._dispatcher.join(CANCEL_PATIENCE_SECONDS)

    def _stop(self, job_id: int, reason: str) -> None:
        with self._wake:
            job = self._running.get(job_id)
        if job is not None:
            job.stop(reason)
            job.ended.wait(CANCEL_PATIENCE_SECONDS)

    def _dispatch(self) -> None:
        while not self._stopping:
            try:
                while self._start_next():
                    pass
            except SQLAlchemyError as error:
                logger.error("The queue cannot reach the database (%s); it tries again.", type(error).__name__)
            with self._wake:
                self._wake.wait_for(lambda: self._woken or self._stopping, timeout=_IDLE_SECONDS)
                self._woken = False

    def _start_next(self) -> bool:
        with self._wake:
            if self._stopping or len(self._running) >= self._limit:
                return False
        with self._storage.begin() as connection:
            row = job_store.claim_next(connection)
        if row is None:
            return False
        job = _RunningJob(row.job_id)
        with self._wake:
            self._running[job.job_id] = job
            if self._stopping:
                job.stop(STOPPED)
        threading.Thread(target=self._run, args=(job, row), name=f"job-{job.job_id}", daemon=True).start()
        return True

    def _run(self, job: _RunningJob, row: job_store.JobRow) -> None:
        started = time.monotonic()
        logger.info("Job %d started.", job.job_id)
        try:
            status, reason = self._attempt(job, row)
            reason = job.stop_reason or reason if status == "failed" else None
            self._store_end(job.job_id, status, reason)
            logger.info("Job %d %s after %.1f s. %s", job.job_id, status, time.monotonic() - started, reason or "")
        finally:
            with self._wake:
                self._running.pop(job.job_id, None)
            job.ended.set()
            self.wake()

    def _attempt(self, job: _RunningJob, row: job_store.JobRow) -> tuple[str, str | None]:
        secrets: Any = ()
        try:
            order = self._planner.plan(row, on_start=job.adopt)
            secrets = order.secrets
            child = self._pool.start(run_job, order)
            job.adopt(child)
            try:
                return self._follow(job, child)
            finally:
                child.close()
        except ServerError as error:
            return "failed", scrubbed(str(error), secrets)
        except Exception as error:
            logger.exception("Job %d failed in the server.", job.job_id)
            return "failed", f"The server failed: {type(error).__name__}; see its log."

    def _follow(self, job: _RunningJob, child: ChildProcess) -> tuple[str, str | None]:
        last: Report | None = None
        warnings: deque[str] = deque(maxlen=_LOG_LINES)
        for report in child.messages():
            if report.kind == "log":
                warnings.append(report.text)
                continue
            self._store_progress(job.job_id, report, warnings)
            last = report
        code = child.join(CANCEL_PATIENCE_SECONDS)
        if last is not None and last.kind == "done":
            return "succeeded", None
        if last is not None and last.kind == "failed":
            return "failed", last.text
        how = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
        return "failed", f"The job's process ended unexpectedly {how}; start the job again."

    def _store_progress(self, job_id: int, report: Report, warnings: Iterable[str]) -> None:
        try:
            with self._storage.begin() as connection:
                job_store.store_progress(connection, job_id, report.streams, list(warnings))
        except SQLAlchemyError as error:
            if report.kind != "progress":
                raise
            logger.warning("Progress of job %d was not stored: %s.", job_id, type(error).__name__)

    def _store_end(self, job_id: int, status: str, reason: str | None) -> None:
        """Try until it is stored: a job that stays `running` would block its connection."""
        for attempt in itertools.count(1):
            try:
                with self._storage.begin() as connection:
                    job_store.end_job(connection, job_id, status, reason=reason)
            except SQLAlchemyError as error:
                logger.error("The end of job %d is not stored yet: %s.", job_id, type(error).__name__)
                if self._stopping:
                    return
                time.sleep(_RETRY_SECONDS * min(attempt, 10))
            else:
                return
