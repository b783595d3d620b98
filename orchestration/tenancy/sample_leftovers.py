"""What samples leave behind when their run is killed: found by workspace, name and age, stopped and removed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from analysis.store.tenants import list_tenants
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.airbyte_samples import SampleJob
from orchestration.resources.temporary_syncs import remove_named
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.lock import TenantBusyError, is_running, run_lock
from orchestration.tenancy.schemas import drop_sample, schema_exists
from orchestration.tenancy.temporary_names import is_left_behind


@dataclass(frozen=True)
class TenantSamples:
    """The samples of one tenant in its own workspace, of those that began before a moment."""

    airbyte: AirbyteClient
    names: TenantNames
    workspace_id: str
    begun_before: datetime

    def find(self) -> list[str]:
        """What there is of them in Airbyte, in words."""
        things = [*self.airbyte.connections(self.workspace_id), *self.airbyte.sources(self.workspace_id)]
        jobs = [f"sample job {each.job.id}" for each in self._jobs()]
        return jobs + [each.name for each in things if self._is_mine(each.name)]

    def remove(self) -> list[str]:
        """Stop and remove them; what went, in words."""
        jobs = self._jobs()
        for each in jobs:
            self.airbyte.cancel(each.job.id)
        gone = remove_named(self.airbyte, self.workspace_id, self._is_mine)
        return [f"sample job {each.job.id}" for each in jobs] + gone

    def _jobs(self) -> list[SampleJob]:
        active = self.airbyte.active_samples(self.workspace_id)
        return [each for each in active if each.schema == self.names.sample and self._is_early(each.job.started_at)]

    def _is_early(self, begun: datetime | None) -> bool:
        return begun is None or begun < self.begun_before

    def _is_mine(self, name: str) -> bool:
        return is_left_behind(name, self.names.sample, self.begun_before)


def remove_samples(airbyte: AirbyteClient, names: TenantNames, workspace_id: str) -> None:
    """Stop and remove every sample of a tenant in Airbyte; the caller holds the run lock."""
    soon = datetime.now(UTC) + timedelta(days=1)  # whatever an Airbyte's clock says
    TenantSamples(airbyte, names, workspace_id, soon).remove()


def find_leftovers(engine: Engine, airbyte: AirbyteClient, *, older_than: timedelta) -> dict[str, list[str]]:
    """What samples older than this left in Airbyte and the warehouse, by tenant without a run in progress."""
    begun_before = datetime.now(UTC) - older_than
    with engine.connect() as store:
        tenants = [row.tenant_id for row in list_tenants(store) if row.status in ("active", "paused")]
    workspaces = {workspace.name: workspace.id for workspace in airbyte.workspaces()}
    found: dict[str, list[str]] = {}
    for tenant in tenants:
        names = TenantNames(TenantId(tenant))
        if is_running(engine, tenant):
            continue
        left = _schema(engine, names)
        if names.workspace in workspaces:
            left += TenantSamples(airbyte, names, workspaces[names.workspace], begun_before).find()
        if left:
            found[tenant] = left
    return found


def sweep_leftovers(engine: Engine, airbyte: AirbyteClient, *, older_than: timedelta) -> dict[str, list[str]]:
    """Remove what `find_leftovers` finds, by tenant; a tenant whose run begins meanwhile is left to that run."""
    begun_before = datetime.now(UTC) - older_than
    found = find_leftovers(engine, airbyte, older_than=older_than)
    workspaces = {workspace.name: workspace.id for workspace in airbyte.workspaces()} if found else {}
    swept: dict[str, list[str]] = {}
    for tenant in found:
        names = TenantNames(TenantId(tenant))
        with suppress(TenantBusyError), run_lock(engine, tenant):
            swept[tenant] = _schema(engine, names)
            drop_sample(engine, tenant)
            if names.workspace in workspaces:
                swept[tenant] += TenantSamples(airbyte, names, workspaces[names.workspace], begun_before).remove()
    return swept


def _schema(engine: Engine, names: TenantNames) -> list[str]:
    with engine.connect() as store:
        return [f"schema {names.sample}"] if schema_exists(store, names.sample) else []
