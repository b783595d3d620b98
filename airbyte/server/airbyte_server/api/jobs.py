"""Jobs: start, watch, list and cancel."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from sqlalchemy import select

from airbyte_server.api.bodies import JobCreate
from airbyte_server.api.paging import PageDep, WorkspaceIds
from airbyte_server.errors import RefusedError
from airbyte_server.jobs import store as job_store
from airbyte_server.services import ServicesDep
from airbyte_server.state.tables import connections, jobs

router = APIRouter(prefix="/jobs", tags=["jobs"])

JobType = Literal["sync", "reset", "refresh", "clear"]
JobStatus = Literal["pending", "queued", "running", "incomplete", "failed", "succeeded", "cancelled"]
OrderBy = Literal["createdAt|ASC", "createdAt|DESC", "updatedAt|ASC", "updatedAt|DESC"]
JobId = Annotated[int, Path(ge=0, lt=2**63)]


@router.post("")
def create_job(body: JobCreate, services: ServicesDep) -> dict[str, Any]:
    """Start a job: sync, refresh (everything anew, in place of what is there), clear or reset (the tables empty)."""
    if body.streams is not None and body.job_type != "sync":
        raise RefusedError(f"A {body.job_type} is of all streams of a connection; leave streams out.")
    with services.storage.begin() as connection:
        row = job_store.create_job(connection, str(body.connection_id), body.job_type)
    services.supervisor.wake()
    return shown(row)


@router.get("")
def list_jobs(
    services: ServicesDep,
    page: PageDep,
    workspace_ids: WorkspaceIds = None,
    connectionId: UUID | None = None,
    jobType: JobType | None = None,
    status: JobStatus | None = None,
    createdAtStart: datetime | None = None,
    createdAtEnd: datetime | None = None,
    updatedAtStart: datetime | None = None,
    updatedAtEnd: datetime | None = None,
    orderBy: Annotated[OrderBy | None, Query()] = None,
) -> dict[str, Any]:
    """Jobs, newest first unless asked otherwise; samples only of a connection that is named."""
    wanted = [
        connectionId is not None or jobs.c.budget.is_(None),
        connectionId is None or jobs.c.connection_id == str(connectionId),
        jobType is None or jobs.c.job_type == jobType,
        status is None or jobs.c.status == status,
        createdAtStart is None or jobs.c.created_at >= _in_utc(createdAtStart),
        createdAtEnd is None or jobs.c.created_at <= _in_utc(createdAtEnd),
        updatedAtStart is None or jobs.c.updated_at >= _in_utc(updatedAtStart),
        updatedAtEnd is None or jobs.c.updated_at <= _in_utc(updatedAtEnd),
    ]
    query = select(jobs).where(*[condition for condition in wanted if condition is not True])
    if workspace_ids:
        inside = connections.c.workspace_id.in_([str(item) for item in workspace_ids])
        query = query.where(jobs.c.connection_id.in_(select(connections.c.connection_id).where(inside)))
    field, _, direction = (orderBy or "createdAt|DESC").partition("|")
    first = jobs.c.updated_at if field == "updatedAt" else jobs.c.created_at
    order = [column.asc() if direction == "ASC" else column.desc() for column in (first, jobs.c.job_id)]
    with services.storage.begin() as connection:
        return page.read(connection, query.order_by(*order), shown)


@router.get("/{job_id}")
def get_job(job_id: JobId, services: ServicesDep) -> dict[str, Any]:
    """One job."""
    with services.storage.begin() as connection:
        return shown(job_store.get_job(connection, job_id))


@router.delete("/{job_id}")
def cancel_job(job_id: JobId, services: ServicesDep) -> dict[str, Any]:
    """Cancel a job and answer it; one that has ended stays as it is."""
    with services.storage.begin() as connection:
        job_store.get_job(connection, job_id)
    services.supervisor.cancel(job_id)
    return get_job(job_id, services)


def shown(row: job_store.JobRow) -> dict[str, Any]:
    """The job as the API answers it; what is not known yet is absent."""
    answer = {
        "jobId": row.job_id,
        "status": row.status,
        "jobType": row.job_type,
        "connectionId": row.connection_id,
        "startTime": iso_time(row.started_at or row.created_at),
        "lastUpdatedAt": iso_time(row.updated_at),
        "bytesSynced": row.bytes_synced,
        "rowsSynced": row.rows_synced,
    }
    if row.started_at is not None:
        answer["duration"] = job_store.iso_duration(row.started_at, row.ended_at or datetime.now(UTC))
    if row.failure_reason is not None:
        answer["failureReason"] = row.failure_reason
    return answer


def iso_time(moment: datetime) -> str:
    """A moment in UTC, e.g. 2026-01-31T12:00:00Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
