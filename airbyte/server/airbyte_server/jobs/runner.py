"""Runs one job: plans it, starts its process, writes down what that reports and how it ended."""

import itertools
import logging
import threading
import time

from sqlalchemy.exc import SQLAlchemyError

from airbyte_server.connectors.processes import ChildProcess, ProcessPool
from airbyte_server.errors import ServerError
from airbyte_server.jobs import store as job_store
from airbyte_server.jobs.log import JobLog
from airbyte_server.jobs.messages import JobOrder, Report
from airbyte_server.jobs.planning import JobPlanner
from airbyte_server.jobs.process import run_job
from airbyte_server.jobs.running import CANCEL_PATIENCE_SECONDS, RunningJob
from airbyte_server.secrets.masking import scrubbed
from airbyte_server.state.storage import Storage

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 0.5


class JobRunner:
    """Takes a claimed job to its end; never raises, and never leaves a job `running`."""

    def __init__(self, storage: Storage, planner: JobPlanner, pool: ProcessPool, *, log_lines: int) -> None:
        self._storage = storage
        self._planner = planner
        self._pool = pool
        self._log_lines = log_lines

    def run(self, job: RunningJob, row: job_store.JobRow, stopping: threading.Event) -> None:
        """Run the job; `stopping` ends the attempts to store its end in a database that does not answer."""
        started = time.monotonic()
        log = JobLog(self._storage, job.job_id, keep=self._log_lines)
        logger.info("Job %d started.", job.job_id)
        log.add("INFO", f"Job {job.job_id} started: {row.job_type} of connection {row.connection_id}.")
        status, reason = self._attempt(job, row, log)
        reason = job.stop_reason or reason if status == "failed" else None
        seconds = time.monotonic() - started
        how, level = (status, "INFO") if status == "succeeded" else ("stopped" if job.stop_reason else status, "ERROR")
        log.add(level, f"Job {how} after {seconds:.1f} s. {reason or ''}".strip())
        log.flush()
        self._store_end(job.job_id, status, reason, stopping)
        logger.info("Job %d %s after %.1f s. %s", job.job_id, status, seconds, reason or "")

    def _attempt(self, job: RunningJob, row: job_store.JobRow, log: JobLog) -> tuple[str, str | None]:
        order: JobOrder | None = None
        try:
            order = self._planner.plan(row, on_start=job.adopt)
            log.add("INFO", _plan_sentence(order))
            log.flush()
            child = self._pool.start(run_job, order)
            job.adopt(child)
            try:
                return self._follow(job, child, log)
            finally:
                child.close()
        except ServerError as error:
            return "failed", scrubbed(str(error), order.secrets if order else ())
        except Exception as error:
            logger.exception("Job %d failed in the server.", job.job_id)
            return "failed", f"The server failed: {type(error).__name__}; see its log."

    def _follow(self, job: RunningJob, child: ChildProcess, log: JobLog) -> tuple[str, str | None]:
        last: Report | None = None
        complete: set[str] = set()
        for report in child.messages():
            if report.kind == "log":
                log.add(report.level, report.text)
            else:
                last = report
                self._store_progress(job.job_id, report)
                _log_complete_streams(log, report, complete)
            if not child.has_waiting():
                log.flush()
        code = child.join(CANCEL_PATIENCE_SECONDS)
        if last is not None and last.kind == "done":
            return "succeeded", None
        if last is not None and last.kind == "failed":
            return "failed", last.text
        how = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
        return "failed", f"The job's process ended unexpectedly {how}; start the job again."

    def _store_progress(self, job_id: int, report: Report) -> None:
        try:
            with self._storage.begin() as connection:
                job_store.store_progress(connection, job_id, report.streams)
        except SQLAlchemyError as error:
            if report.kind != "progress":
                raise
            logger.warning("Progress of job %d was not stored: %s.", job_id, type(error).__name__)

    def _store_end(self, job_id: int, status: str, reason: str | None, stopping: threading.Event) -> None:
        """Try until it is stored: a job that stays `running` would block its connection."""
        for attempt in itertools.count(1):
            try:
                with self._storage.begin() as connection:
                    job_store.end_job(connection, job_id, status, reason=reason)
            except SQLAlchemyError as error:
                logger.error("The end of job %d is not stored yet: %s.", job_id, type(error).__name__)
                if stopping.is_set():
                    return
                time.sleep(_RETRY_SECONDS * min(attempt, 10))
            else:
                return


def _plan_sentence(order: JobOrder) -> str:
    streams = ", ".join(target.stream for target in order.targets)
    limit = f", at most {order.record_limit} records of each" if order.record_limit is not None else ""
    return f"Source {order.source_type} is read: {streams}{limit}."


def _log_complete_streams(log: JobLog, report: Report, complete: set[str]) -> None:
    for stream in report.streams:
        if stream["complete"] and stream["streamName"] not in complete:
            complete.add(stream["streamName"])
            stats = stream["stats"]
            log.add(
                "INFO",
                f"Stream {stream['streamName']} is complete: {stats['recordsEmitted']} records, "
                f"{stats['bytesEmitted']} bytes.",
            )
