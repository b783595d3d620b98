"""Jobs in the configuration API, with their counts and the log of their attempt."""

from typing import Any

from fastapi import APIRouter
from sqlalchemy import Row

from airbyte_server.api.configuration_bodies import JobReference
from airbyte_server.jobs import log as job_log
from airbyte_server.jobs import store as job_store
from airbyte_server.services import ServicesDep

router = APIRouter(tags=["configuration API"])

JsonObject = dict[str, Any]
_LOG_LINES = 1000


@router.post("/jobs/get")
def get_job(body: JobReference, services: ServicesDep) -> JsonObject:
    """A job with its one attempt and the counts of each stream."""
    with services.storage.begin() as connection:
        row = job_store.get_job(connection, body.id)
        lines = job_log.last_lines(connection, body.id, _LOG_LINES)
    attempts = [] if row.started_at is None else [{"attempt": _attempt(row), "logs": {"logLines": lines}}]
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
        "id": 0,
        "status": "failed" if row.status == "cancelled" else row.status,
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
