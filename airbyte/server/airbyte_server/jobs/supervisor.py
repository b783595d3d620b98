"""The queue: claims pending jobs, a few at once and fairly, and ends what must end."""

import logging
import threading
import time
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from airbyte_server.jobs import store as job_store
from airbyte_server.jobs.runner import JobRunner
from airbyte_server.jobs.running import CANCEL_PATIENCE_SECONDS, RunningJob
from airbyte_server.state.storage import Storage

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 5.0
_PRUNE_SECONDS = 3600.0
STOPPED = "The server was stopped while the job ran; start it again."


class Supervisor:
    """Runs at most `limit` jobs at once; `start` fails what a dead server left running."""

    def __init__(self, storage: Storage, runner: JobRunner, *, limit: int, retention: timedelta) -> None:
        self._storage = storage
        self._runner = runner
        self._limit = limit
        self._retention = retention
        self._running: dict[int, RunningJob] = {}
        self._wake = threading.Condition()
        self._woken = False
        self._stopping = threading.Event()
        self._prune_at = time.monotonic()
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
        if not is_cancelled:
            return
        with self._wake:
            job = self._running.get(job_id)
        if job is not None:
            job.stop("The job was cancelled.")
            job.ended.wait(CANCEL_PATIENCE_SECONDS)

    def stop(self) -> None:
        """Take no more jobs; the running ones fail with a sentence."""
        self._stopping.set()
        with self._wake:
            self._wake.notify_all()
            running = list(self._running.values())
        for job in running:
            job.stop(STOPPED)
        for job in running:
            job.ended.wait(CANCEL_PATIENCE_SECONDS)
        if self._dispatcher.is_alive():
            self._dispatcher.join(CANCEL_PATIENCE_SECONDS)

    def _dispatch(self) -> None:
        while not self._stopping.is_set():
            try:
                while self._start_next():
                    pass
                self._prune()
            except SQLAlchemyError as error:
                logger.error("The queue cannot reach the database (%s); it tries again.", type(error).__name__)
            with self._wake:
                self._wake.wait_for(lambda: self._woken or self._stopping.is_set(), timeout=_IDLE_SECONDS)
                self._woken = False

    def _start_next(self) -> bool:
        # Claimed and noted under one lock, so that whoever cancels a job that runs finds it here.
        with self._wake:
            if self._stopping.is_set() or len(self._running) >= self._limit:
                return False
            with self._storage.begin() as connection:
                row = job_store.claim_next(connection)
            if row is None:
                return False
            job = self._running[row.job_id] = RunningJob(row.job_id)
        threading.Thread(target=self._run, args=(job, row), name=f"job-{job.job_id}", daemon=True).start()
        return True

    def _run(self, job: RunningJob, row: job_store.JobRow) -> None:
        try:
            self._runner.run(job, row, self._stopping)
        finally:
            with self._wake:
                self._running.pop(job.job_id, None)
            job.ended.set()
            self.wake()

    def _prune(self) -> None:
        if time.monotonic() < self._prune_at:
            return
        with self._storage.begin() as connection:
            gone = job_store.prune_jobs(connection, self._retention)
        if gone:
            logger.info("%d old jobs were forgotten.", gone)
        self._prune_at = time.monotonic() + (0 if gone else _PRUNE_SECONDS)
