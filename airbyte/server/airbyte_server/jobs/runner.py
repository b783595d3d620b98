"""Runs one attempt of a job: plans it, starts its process, writes down what that reports and how it ended."""

import itertools
import logging
import threading
import time
from dataclasses import replace

from sqlalchemy.exc import SQLAlchemyError

from airbyte_server.connectors.processes import ChildProcess, ProcessPool
from airbyte_server.errors import ConnectorTimeoutError, PermanentError, ServerError
from airbyte_server.jobs import attempts as job_attempts
from airbyte_server.jobs import store as job_store
from airbyte_server.jobs.attempts import AttemptEnd, JobTotals, RetryPolicy
from airbyte_server.jobs.clearing import run_clear
from airbyte_server.jobs.log import JobLog
from airbyte_server.jobs.messages import ClearOrder, JobOrder, Report
from airbyte_server.jobs.planning import JobPlanner
from airbyte_server.jobs.process import run_job
from airbyte_server.jobs.running import CANCEL_PATIENCE_SECONDS, RunningJob
from airbyte_server.secrets.masking import scrubbed
from airbyte_server.state.storage import Storage
from airbyte_server.sync_modes import INCREMENTAL

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 0.5


class JobRunner:
    """Takes a claimed job through one attempt; never raises, and never leaves a job `running`."""

    def __init__(
        self,
        storage: Storage,
        planner: JobPlanner,
        pool: ProcessPool,
        retries: RetryPolicy,
        *,
        log_lines: int,
        timeout: float,
    ) -> None:
        self._storage = storage
        self._planner = planner
        self._pool = pool
        self._retries = retries
        self._log_lines = log_lines
        self._timeout = timeout

    def run(self, job: RunningJob, row: job_store.JobRow, stopping: threading.Event) -> None:
        """Run the next attempt; `stopping` ends the tries to store its end in a database that does not answer."""
        started = time.monotonic()
        log = JobLog(self._storage, job.job_id, keep=self._log_lines, attempt=row.attempts - 1)
        logger.info("Job %d started, attempt %d.", job.job_id, row.attempts)
        log.add("INFO", f"Job {job.job_id} started: {row.job_type} of connection {row.connection_id}{_nth(row)}.")
        totals = JobTotals((), ())
        try:
            order = self._planner.plan(row, on_start=job.adopt, on_progress=lambda text: _note(log, text))
            totals = self._totals(order)
            end = self._attempt(job, row, order, totals, log)
        except ServerError as error:
            end = AttemptEnd(reason=scrubbed(str(error), ()), retryable=not isinstance(error, PermanentError))
        except SQLAlchemyError as error:
            logger.warning("Job %d lost the server's database: %s.", job.job_id, type(error).__name__)
            end = AttemptEnd(reason=f"The server's database failed ({type(error).__name__}).", retryable=True)
        except Exception as error:
            logger.exception("Job %d failed in the server.", job.job_id)
            end = AttemptEnd(reason=f"The server failed: {type(error).__name__}; see its log.", retryable=True)
        if job.stop_reason is not None and not end.succeeded:
            end = replace(end, reason=job.stop_reason, retryable=job.is_retried, pauses=False)
        self._conclude(job, row, log, end, f"after {time.monotonic() - started:.1f} s")
        self._store_end(row, end, totals, stopping)

    def _attempt(
        self, job: RunningJob, row: job_store.JobRow, order: JobOrder | ClearOrder, totals: JobTotals, log: JobLog
    ) -> AttemptEnd:
        log.add("INFO", _plan_sentence(order))
        for notice in order.notices:
            log.add("WARN", scrubbed(notice, order.secrets))
        log.flush()
        is_clear = isinstance(order, ClearOrder)
        child = self._pool.start(run_clear, order) if is_clear else self._pool.start(run_job, order)
        job.adopt(child)
        try:
            return self._follow(row, child, order, totals, log)
        except ServerError as error:
            raise type(error)(scrubbed(error.sentence, order.secrets)) from None
        finally:
            child.close()

    def _follow(
        self, row: job_store.JobRow, child: ChildProcess, order: JobOrder | ClearOrder, totals: JobTotals, log: JobLog
    ) -> AttemptEnd:
        last: Report | None = None
        complete: set[str] = set()
        try:
            for report in child.messages(time.monotonic() + self._timeout):
                if report.kind == "log":
                    log.add(report.level, report.text)
                elif report.kind == "renewed" and isinstance(order, JobOrder):
                    self._planner.renew(order, report.fields)
                else:
                    last = report
                    self._store_progress(row, report, totals)
                    _log_complete_streams(log, report, complete)
                if not child.has_waiting():
                    log.flush()
        except ConnectorTimeoutError:
            raise PermanentError(
                f"The job took longer than the {self._timeout:g} s that AIRBYTE_SERVER_JOB_TIMEOUT_SECONDS allows."
            ) from None
        code = child.join(CANCEL_PATIENCE_SECONDS)
        if last is not None and last.kind in ("done", "failed"):
            reason = None if last.kind == "done" else last.text
            return AttemptEnd(
                succeeded=last.kind == "done", reason=reason, retryable=last.retryable, streams=last.streams
            )
        how = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
        return AttemptEnd(reason=f"The job's process ended unexpectedly {how}.", retryable=True)

    def _totals(self, order: JobOrder | ClearOrder) -> JobTotals:
        if order.attempt == 0:
            return JobTotals((), ())
        with self._storage.begin() as connection:
            rows = job_attempts.attempts_of(connection, order.job_id)
        resumed = [
            (target.stream, target.source_namespace or "")
            for target in order.targets
            if target.sync_mode in INCREMENTAL and not target.refreshes
        ]
        return JobTotals((row.stream_stats for row in rows if row.attempt < order.attempt), resumed)

    def _store_progress(self, row: job_store.JobRow, report: Report, totals: JobTotals) -> None:
        if report.kind != "progress":
            return
        try:
            with self._storage.begin() as connection:
                job_attempts.store_progress(connection, row, report.streams, totals.of(report.streams))
        except SQLAlchemyError as error:
            logger.warning("Progress of job %d was not stored: %s.", row.job_id, type(error).__name__)

    def _conclude(self, job: RunningJob, row: job_store.JobRow, log: JobLog, end: AttemptEnd, when: str) -> None:
        pause = end.next_pause(self._retries, row.attempts)
        status = "succeeded" if end.succeeded else "failed"
        how = "stopped" if job.stop_reason is not None and not end.succeeded else status
        if pause is None:
            text = f"Job {how} {when}. {end.reason or ''}".strip()
        else:
            again = f"It is tried again in {pause.total_seconds():g} s."
            text = f"Attempt {row.attempts} of {self._retries.attempts} {how} {when}. {end.reason} {again}"
        log.add("INFO" if end.succeeded else "ERROR", text)
        log.flush()
        logger.info("Job %d: %s", row.job_id, text)

    def _store_end(self, row: job_store.JobRow, end: AttemptEnd, totals: JobTotals, stopping: threading.Event) -> None:
        """Try until it is stored: a job that stays `running` would block its connection."""
        for attempt in itertools.count(1):
            try:
                with self._storage.begin() as connection:
                    job_attempts.end_attempt(connection, row, end, self._retries, totals=totals.of(end.streams))
            except SQLAlchemyError as error:
                logger.error("The end of job %d is not stored yet: %s.", row.job_id, type(error).__name__)
                if stopping.is_set():
                    return
                time.sleep(_RETRY_SECONDS * min(attempt, 10))
            else:
                return


def _nth(row: job_store.JobRow) -> str:
    return "" if row.attempts == 1 else f", attempt {row.attempts}"


def _note(log: JobLog, text: str) -> None:
    log.add("INFO", text)
    log.flush()


def _plan_sentence(order: JobOrder | ClearOrder) -> str:
    streams = ", ".join(target.stream for target in order.targets)
    if isinstance(order, ClearOrder):
        return f"Tables are emptied: {streams}."
    budget = order.budget
    limit = f", at most {budget.records_per_stream} records of each" if budget else ""
    return f"Source {order.program.source_type} is read: {streams}{limit}."


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
