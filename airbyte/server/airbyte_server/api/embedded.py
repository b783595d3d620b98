"""What this server tells beyond Airbyte's API: a job's streams while it runs, and its log."""

from typing import Any

from fastapi import APIRouter
from sqlalchemy import Row

from airbyte_server.api.jobs import JobId, iso_time
from airbyte_server.api.jobs import shown as shown_job
from airbyte_server.api.paging import LongPageDep
from airbyte_server.jobs import log as job_log
from airbyte_server.jobs import store as job_store
from airbyte_server.services import ServicesDep

router = APIRouter(tags=["embedded"])


@router.get("/jobs/{job_id}")
def get_job(job_id: JobId, services: ServicesDep) -> dict[str, Any]:
    """The job with each stream's records and bytes so far."""
    with services.storage.begin() as connection:
        row = job_store.get_job(connection, job_id)
    return {**shown_job(row), "streams": [_shown_stream(stream) for stream in row.stream_stats]}


@router.get("/jobs/{job_id}/logs")
def get_logs(job_id: JobId, services: ServicesDep, page: LongPageDep) -> dict[str, Any]:
    """The kept lines of the job's log, oldest first, without secrets."""
    with services.storage.begin() as connection:
        job_store.get_job(connection, job_id)
        lines = page.read(connection, job_log.select_lines(job_id), _shown_line)
    return {"jobId": job_id, **lines}


def _shown_stream(stream: dict[str, Any]) -> dict[str, Any]:
    stats = stream["stats"]
    return {
        "streamName": stream["streamName"],
        **({"streamNamespace": stream["streamNamespace"]} if stream.get("streamNamespace") else {}),
        "status": "complete" if stream.get("complete") else "incomplete",
        "recordsEmitted": stats["recordsEmitted"],
        "recordsCommitted": stats["recordsCommitted"],
        "bytesEmitted": stats["bytesEmitted"],
    }


def _shown_line(row: Row[Any]) -> dict[str, Any]:
    return {"line": row.line, "at": iso_time(row.logged_at), "level": row.level, "message": row.message}
