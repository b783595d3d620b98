"""The queue: claims waiting jobs, a few at once and fairly, and ends what must end."""

import logging
import threading
import time
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from airbyte_server.errors import RetryableError, ServerError
from airbyte_server.jobs import store as job_store
from airbyte_server.jobs.attempts import LOST, RetryPolicy, end_interrupted
from airbyte_server.jobs.claiming import claim_next, running_ids, seconds_until_due
from airbyte_server.jobs.runner import JobRunner
from airbyte_server.jobs.running import CANCEL_PATIENCE_SECONDS, RunningJob
from airbyte_server.jobs.schedules import Schedules
from airbyte_server.state.storage import Storage

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 2.0
_STALLED_SECONDS = 60.0
_PRUNE_SECONDS = 3600.0
STOPPED = "The server was stopped while the job ran."


class Supervisor:
    """Runs at most `limit` jobs at once; `start` takes up what a dead server left running."""

    def __init__(
        self,
        storage: Storage,
        runner: JobRunner,
        retries: RetryPolicy,
        *,
        limit: int,
        retention: timedelta,
        schedules: Schedules | None,
    ) -> None:
        self._storage = storage
        self._runner = runner
        self._retries = retries
        self._limit = limit
        self._retention = retention
        self._schedules = schedules
        self._running: dict[int, RunningJob] = {}
        self._wake = threading.Condition()
        self._woken = False
        self._stopping = threading.Event()
        self._prune_at = self._answered_at = time.monotonic()
        self._dispatcher = threading.Thread(target=self._dispatch, name="job-dispatcher", daemon=True)

    def start(self) -> None:
        """Clean up after a crash, then begin to take jobs."""
        with self._storage.begin() as connection:
            for job_id in end_interrupted(connection, self._retries):
                logger.warning("Job %d was running when the server stopped.", job_id)
        self._answered_at = time.monotonic()
        self._dispatcher.start()

    def check(self) -> None:
        """RetryableError with a sentence if the queue does not work."""
        if not self._dispatcher.is_alive():
            raise RetryableError("The queue of jobs has ended; start the server again.")
        silent = time.monotonic() - self._answered_at
        if silent > _STALLED_SECONDS:
            raise RetryableError(f"The queue of jobs has stood still for {silent:.0f} s; see the server's log.")

    def wake(self) -> None:
        """Look for waiting jobs now."""
        with self._wake:
            self._woken = True
            self._wake.notify_all()

    def cancel(self, job_id: int) -> None:
        """Mark the job cancelled and end its processes; a job that has ended stays as it is."""
        with self._storage.begin() as connection:
            job_store.end_job(connection, job_id, "cancelled")
        # Also one that was ended before: whoever did that may not have come as far as this.
        with self._wake:
            job = self._running.get(job_id)
        if job is not None:
            job.stop("The job was cancelled.")
            job.ended.wait(CANCEL_PATIENCE_SECONDS)

    def stop(self) -> None:
        """Take no more jobs; the running ones are ended, and go on when a server starts again."""
        self._stopping.set()
        with self._wake:
            self._wake.notify_all()
            running = list(self._running.values())
        for job in running:
            job.stop(STOPPED, retry=True)
        for job in running:
            job.ended.wait(CANCEL_PATIENCE_SECONDS)
        if self._dispatcher.is_alive():
            self._dispatcher.join(CANCEL_PATIENCE_SECONDS)

    def _dispatch(self) -> None:
        while not self._stopping.is_set():
            patience = _IDLE_SECONDS
            try:
                patience = min(patience, self._work())
                self._answered_at = time.monotonic()
            except (SQLAlchemyError, ServerError) as error:
                logger.error("The queue does not work (%s); it tries again.", _first_line(error))
            except Exception:  # whatever it is: the queue goes on
                logger.exception("The queue failed; it tries again.")
            with self._wake:
                self._wake.wait_for(lambda: self._woken or self._stopping.is_set(), timeout=patience)
                self._woken = False

    def _work(self) -> float:
        """One round: what is due is started. The seconds until something may be due again."""
        self._storage.keep_lock()
        self._end_lost()
        pauses = [self._follow_schedules()]
        while self._start_next():
            pass
        self._prune()
        with self._storage.begin() as connection:
            due = seconds_until_due(connection)
        # A job that is due and was not taken waits for a slot or for its connection, whose end wakes the queue.
        pauses += [due] if due else []
        return max(0.05, min(pauses))

    def _end_lost(self) -> None:
        """End what is `running` for the database alone: the answer to its claim was lost, or its thread."""
        with self._storage.begin() as connection:
            if set(running_ids(connection)) <= self._running.keys():
                return
            for job_id in end_interrupted(connection, self._retries, alive=lambda: set(self._running), reason=LOST):
                logger.warning("Job %d was running and nobody ran it; it is tried again.", job_id)

    def _follow_schedules(self) -> float:
        """Queue what schedules ask for, whose troubles hold up no other job; the seconds until the next one."""
        if self._schedules is None:
            return _IDLE_SECONDS
        try:
            return self._schedules.start_due()
        except Exception:  # as in `_dispatch`
            logger.exception("Schedules start nothing now.")
            return _IDLE_SECONDS

    def _start_next(self) -> bool:
        # Claimed and noted under one lock, so that whoever cancels a job that runs finds it here.
        with self._wake:
            if self._stopping.is_set() or len(self._running) >= self._limit:
                return False
            # A cancelled job is over before its processes are: until then its connection is busy.
            busy = {job.connection_id for job in self._running.values()}
            with self._storage.begin() as connection:
                row = claim_next(connection, busy=busy)
            if row is None:
                return False
            job = self._running[row.job_id] = RunningJob(row.job_id, row.connection_id)
        thread = threading.Thread(target=self._run, args=(job, row), name=f"job-{job.job_id}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more threads: the next round finds a job that nobody runs
            with self._wake:
                del self._running[job.job_id]
            raise
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
            job_store.prune_samples(connection, self._retention)
        if gone:
            logger.info("%d old jobs were forgotten.", gone)
        self._prune_at = time.monotonic() + (0 if gone else _PRUNE_SECONDS)


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().split("\n", 1)[0]
