"""Jobs in the configuration API, with the counts and the log of each attempt."""

from typing import Any

from fastapi import APIRouter
from sqlalchemy import Row

from airbyte_server.api.configuration_bodies import JobReference
from airbyte_server.jobs import log as job_log
from airbyte_server.jobs import store as job_store
from airbyte_server.jobs.attempts import attempts_of
from airbyte_server.services import ServicesDep

router = APIRouter(tags=["configuration API"])

JsonObject = dict[str, Any]
_LOG_LINES = 1000
_SHOWN_ATTEMPTS = 10


@router.post("/jobs/get")
def get_job(body: JobReference, services: ServicesDep) -> JsonObject:
    """A job with its newest attempts, the log of each and the counts of each stream."""
    with services.storage.begin() as connection:
        row = job_store.get_job(connection, body.id)
        attempts = [
            {
                "attempt": _attempt(attempt),
                "logs": {"logLines": job_log.last_lines(connection, body.id, attempt.attempt, _LOG_LINES)},
            }
            for attempt in attempts_of(connection, body.id)[-_SHOWN_ATTEMPTS:]
        ]
    job = {
        "id": row.job_id,
        "configType": row.job_type,
        "configId": row.connection_id,
        "status": row.status,
        "createdAt": int(row.created_at.timestamp()),
        "updatedAt": int(row.updated_at.timestamp()),
        **({"startedAt": int(row.started_at.timestamp())} if row.started_at else {}),
    }
    return {"job": job, "attempts": attempts}


def _attempt(row: Row[Any]) -> JsonObject:
    totals = [stream["stats"] for stream in row.stream_stats]
    attempt = {
        "id": row.attempt,
        "status": row.status,
        "createdAt": int(row.started_at.timestamp()),
        "updatedAt": int(row.updated_at.timestamp()),
        "bytesSynced": row.bytes_synced,
        "recordsSynced": row.rows_synced,
        "totalStats": {
            name: sum(stats[name] for stats in totals)
            for name in ("recordsEmitted", "bytesEmitted", "recordsCommitted")
        },
        "streamStats": row.stream_stats,
    }
    if row.ended_at is not None:
        attempt["endedAt"] = int(row.ended_at.timestamp())
    if row.failure_reason is not None:
        attempt["failureSummary"] = {"failures": [{"externalMessage": row.failure_reason}], "partialSuccess": False}
    return attempt
