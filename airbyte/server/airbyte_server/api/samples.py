"""Samples: bounded reads of a source into a schema of their own, as jobs of the one queue."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from airbyte_server.api.bodies import SampleCreate
from airbyte_server.api.embedded import shown_job_with_streams
from airbyte_server.api.jobs import JobStatus
from airbyte_server.api.paging import PageDep, WorkspaceIds
from airbyte_server.connections import samples
from airbyte_server.jobs.budgets import Budget
from airbyte_server.jobs.store import JobRow
from airbyte_server.services import ServicesDep
from airbyte_server.state.tables import connections, jobs

router = APIRouter(prefix="/samples", tags=["embedded"])

Statuses = Annotated[list[JobStatus] | None, Query(description="Only samples with one of these statuses.")]


@router.post("")
def create_sample(body: SampleCreate, services: ServicesDep) -> dict[str, Any]:
    """Read at most the budget of a source's streams and replace their tables in `schema`; answers the job.

    The streams are read one after another, each by a process of its own that gets an equal part of the seconds and
    bytes that are left, and is stopped at its records. Reaching a bound is success: the rows so far are the table,
    whole, and the stream says `cut`. No state is used or kept. A sample of the same source into the same schema that
    has not ended, and a table that a connection writes, are 409. Poll the job at `/jobs/{jobId}`; DELETE it at the
    public API's address to cancel.
    """
    request = samples.SampleRequest(
        source_id=body.source_id,
        destination_id=body.destination_id,
        schema=body.schema_name,
        prefix=body.prefix,
        streams=[
            {"name": stream} if isinstance(stream, str) else stream.model_dump(by_alias=True, exclude_none=True)
            for stream in body.streams or []
        ],
        budget=Budget(records_per_stream=body.records_per_stream, bytes=body.bytes, seconds=body.seconds),
    )
    row = samples.start_sample(services, request)
    services.supervisor.wake()
    return _shown(row)


@router.get("")
def list_samples(
    services: ServicesDep,
    page: PageDep,
    workspace_ids: WorkspaceIds = None,
    sourceId: UUID | None = None,
    status: Statuses = None,
) -> dict[str, Any]:
    """Jobs of samples, newest first."""
    query = samples.select_samples()
    if workspace_ids:
        query = query.where(connections.c.workspace_id.in_([str(each) for each in workspace_ids]))
    if sourceId is not None:
        query = query.where(connections.c.source_id == str(sourceId))
    if status:
        query = query.where(jobs.c.status.in_(status))
    with services.storage.begin() as connection:
        return page.read(connection, query, _shown)


def _shown(row: JobRow) -> dict[str, Any]:
    return {
        **shown_job_with_streams(row),
        "sourceId": row.source_id,
        "destinationId": row.destination_id,
        "schema": row.namespace_format,
        "prefix": row.prefix,
        **row.budget,
    }
