"""Jobs that ended, into the history of syncs: those that a run waited for, and those that Airbyte began by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.errors import PermanentError
from analysis.store.runs import resolve_incidents
from analysis.store.syncs import EndedSync, StreamCount, record_sync
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.airbyte_counts import StreamCounts
from orchestration.resources.airbyte_records import ConfiguredStream, Connection, Job
from orchestration.resources.airbyte_session import is_gone
from orchestration.resources.warehouse import Warehouse


@dataclass(frozen=True)
class RecordedJob:
    """What a job brought by stream, and whether the history had it already."""

    counts: Mapping[str, StreamCounts]
    is_new: bool


def record_job(
    warehouse: Warehouse,
    airbyte: AirbyteClient,
    tenant: str,
    source: str,
    connection: Connection,
    job: Job,
    streams: Sequence[ConfiguredStream],
) -> RecordedJob:
    """Write a job that ended into the history, one row per stream of its connection; a second time changes nothing."""
    counts = _counts(airbyte, job, streams)
    nothing = StreamCount() if counts is None else StreamCount(0, 0)
    brought = {stream.name: nothing for stream in streams}
    brought |= {name: StreamCount(each.committed, each.bytes) for name, each in (counts or {}).items()}
    sync = EndedSync(
        connection_id=connection.id,
        connection_name=connection.name,
        job_id=str(job.id),
        status=job.status,
        started_at=job.started_at,
        ended_at=job.updated_at,
        streams=brought,
    )
    with warehouse.control.begin() as store:
        is_new = record_sync(store, tenant, source, sync)
        if job.status == "succeeded":
            resolve_incidents(store, tenant, step=incident_step(source))
    return RecordedJob(counts or {}, is_new)


def incident_step(source: str) -> str:
    """Where incidents of a source's syncs belong that no run waited for."""
    return f"sync of {source}"


def _counts(airbyte: AirbyteClient, job: Job, streams: Sequence[ConfiguredStream]) -> dict[str, StreamCounts] | None:
    try:
        return airbyte.stream_counts(job.id, {stream.name for stream in streams if job.replaces(stream)})
    except PermanentError as error:
        if is_gone(error):  # Airbyte forgets old jobs: that the job was there is remembered all the same
            return None
        raise
