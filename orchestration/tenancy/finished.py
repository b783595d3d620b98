"""Syncs that Airbyte ended since Sluice last looked, whoever began them: into the history, and on to the build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from analysis.errors import PermanentError, RetryableError
from analysis.store.runs import record_incident
from analysis.store.syncs import newest_sync_at, recorded_syncs
from analysis.store.tenants import SourceRow, TenantRow, find_tenant, list_connected
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.airbyte_records import ACTIVE, Job
from orchestration.resources.airbyte_sync import require_own, told
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.appearance import Appeared
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.lock import is_running
from orchestration.tenancy.syncs import incident_step, record_job

MARGIN = timedelta(minutes=1)
"""Looked at again each time: Airbyte tells seconds, and a job may show up after a later one."""
FIRST_LOOK = timedelta(days=1)
RESTING = ("active", "paused")


@dataclass(frozen=True)
class Unrecorded:
    """Jobs of a tenant that ended and are not in the history, oldest first."""

    tenant: TenantRow
    sources: Mapping[str, SourceRow]
    jobs: Sequence[Job]


@dataclass
class FinishedSyncs:
    """Tenants with data that no run brought, sentences on what could not be taken up, and where to look on from."""

    since: datetime
    new: list[Appeared] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def finished_syncs(warehouse: Warehouse, airbyte: AirbyteClient, since: datetime | None) -> FinishedSyncs:
    """Record every sync that ended since then and is not in the history; those of a tenant that runs wait for its end.

    An incident tells of one that failed; where one succeeded, on a source that the plan takes in, the tenant is new.
    """
    found = FinishedSyncs(since or _last_look(warehouse))
    changed = airbyte.syncs_since(found.since - MARGIN)
    found.since = max([found.since, *(job.updated_at for job in changed if job.updated_at)])
    for each in _unrecorded(warehouse, changed):
        tenant = each.tenant.tenant_id
        try:
            if is_running(warehouse.control, tenant):
                raise RetryableError("A run of it is in progress; its syncs are looked at again.")
            brought = [_record(warehouse, airbyte, each, job) for job in each.jobs]
        except RetryableError:
            found.since = min([found.since, *(job.updated_at for job in each.jobs if job.updated_at)])
            continue
        except PermanentError as error:
            found.refused.append(f"Tenant {tenant}: {error}")
            continue
        if any(brought) and tenant in warehouse.refreshable_tenants():
            found.new.append(Appeared(tenant, f"{each.jobs[-1].connection_id}:{each.jobs[-1].id}"))
    return found


def _last_look(warehouse: Warehouse) -> datetime:
    with warehouse.control.connect() as store:
        return newest_sync_at(store) or datetime.now(UTC) - FIRST_LOOK


def _unrecorded(warehouse: Warehouse, changed: Iterable[Job]) -> list[Unrecorded]:
    ended = [job for job in changed if job.status not in ACTIVE]
    if not ended:
        return []
    with warehouse.control.connect() as store:
        sources = {str(row.connection_id): row for row in list_connected(store, {job.connection_id for job in ended})}
        keys = {_key(sources[job.connection_id], job): job for job in ended if job.connection_id in sources}
        fresh = [keys[key] for key in keys.keys() - recorded_syncs(store, keys)]
        tenants = {sources[job.connection_id].tenant_id for job in fresh}
        rows = [row for row in (find_tenant(store, tenant) for tenant in sorted(tenants)) if row is not None]
    by_age = sorted(fresh, key=lambda job: job.id)
    return [
        Unrecorded(row, sources, [job for job in by_age if sources[job.connection_id].tenant_id == row.tenant_id])
        for row in rows
        if row.status in RESTING and row.workspace_id
    ]


def _key(source: SourceRow, job: Job) -> tuple[str, str, str]:
    return source.tenant_id, job.connection_id, str(job.id)


def _record(warehouse: Warehouse, airbyte: AirbyteClient, found: Unrecorded, job: Job) -> bool:
    """Whether the job brought data that a build would take in."""
    tenant, source = found.tenant.tenant_id, found.sources[job.connection_id]
    names = TenantNames(TenantId(tenant))
    connection = require_own(airbyte, str(found.tenant.workspace_id), job.connection_id, names.raw)
    streams = airbyte.configured_streams(connection.id)
    record_job(warehouse, airbyte, tenant, source.name, connection, job, streams)
    if job.status == "failed":
        step, keys = incident_step(source.name), {"connection": connection.id}
        with warehouse.control.begin() as store:
            record_incident(store, tenant, step, told(job), is_permanent=True, keys=keys)
    return job.status == "succeeded" and source.is_approved
