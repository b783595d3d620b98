"""What this server tells beyond Airbyte's API: a job's streams while it runs, and its log."""

from typing import Any

from fastapi import APIRouter
from sqlalchemy import Row

from airbyte_server.api.jobs import JobId, iso_time
from airbyte_server.api.jobs import shown as shown_job
from airbyte_server.api.paging import LongPageDep
from airbyte_server.jobs import log as job_log
from airbyte_server.jobs import store as job_store
from airbyte_server.jobs.attempts import attempts_of
from airbyte_server.services import ServicesDep

router = APIRouter(tags=["embedded"])


@router.get("/jobs/{job_id}")
def get_job(job_id: JobId, services: ServicesDep) -> dict[str, Any]:
    """The job with its attempts and each stream's records and bytes so far, and whether a sample's budget `cut` it."""
    with services.storage.begin() as connection:
        row = job_store.get_job(connection, job_id)
        attempts = attempts_of(connection, job_id)
    waiting = {"nextAttemptAt": iso_time(row.next_attempt_at)} if row.next_attempt_at else {}
    return {**shown_job_with_streams(row), **waiting, "attempts": [_shown_attempt(attempt) for attempt in attempts]}


@router.get("/jobs/{job_id}/logs")
def get_logs(job_id: JobId, services: ServicesDep, page: LongPageDep) -> dict[str, Any]:
    """The kept lines of the job's log, oldest first, without secrets."""
    with services.storage.begin() as connection:
        job_store.get_job(connection, job_id)
        lines = page.read(connection, job_log.select_lines(job_id), _shown_line)
    return {"jobId": job_id, **lines}


def shown_job_with_streams(row: job_store.JobRow) -> dict[str, Any]:
    """A job as the public API answers it, and its streams."""
    return {**shown_job(row), "streams": [_shown_stream(stream) for stream in row.stream_stats]}


def _shown_attempt(attempt: Row[Any]) -> dict[str, Any]:
    return {
        "attempt": attempt.attempt,
        "status": attempt.status,
        "startTime": iso_time(attempt.started_at),
        **({"endTime": iso_time(attempt.ended_at)} if attempt.ended_at else {}),
        **({"failureReason": attempt.failure_reason} if attempt.failure_reason is not None else {}),
        "bytesSynced": attempt.bytes_synced,
        "rowsSynced": attempt.rows_synced,
    }


def _shown_stream(stream: dict[str, Any]) -> dict[str, Any]:
    stats = stream["stats"]
    return {
        "streamName": stream["streamName"],
        **({"streamNamespace": stream["streamNamespace"]} if stream.get("streamNamespace") else {}),
        "status": "complete" if stream.get("complete") else "incomplete",
        "recordsEmitted": stats["recordsEmitted"],
        "recordsCommitted": stats["recordsCommitted"],
        "bytesEmitted": stats["bytesEmitted"],
        **({"cut": stream["cut"]} if "cut" in stream else {}),
    }


def _shown_line(row: Row[Any]) -> dict[str, Any]:
    return {"line": row.line, "at": iso_time(row.logged_at), "level": row.level, "message": row.message}
