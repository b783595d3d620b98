"""The right to run a tenant, held for the length of a run, and what must be gone when the run ends."""

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG

from analysis.errors import SluiceError
from analysis.store.audit import within_run
from analysis.store.releases import mark_stale
from analysis.store.tenants import find_tenant
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.warehouse import Warehouse
from orchestration.run_tags import FAILURE, run_tags
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.lock import RunLock, run_lock
from orchestration.tenancy.publishing.builds import drop_unfinished
from orchestration.tenancy.registry import refuse_removing
from orchestration.tenancy.sample_leftovers import remove_samples
from orchestration.tenancy.schemas import drop_sample, drop_scratch
from orchestration.tenancy.walls.limits import enforced, limits_of


@dataclass(frozen=True)
class TenantRun:
    """Proof that this process alone runs the tenant, as long as the lock's session lives."""

    tenant: TenantId
    lock: RunLock | None = None

    def check(self) -> None:
        """A RetryableError if the right to go on is lost: a removal takes it away."""
        if self.lock is not None:
            self.lock.check()


@dg.resource(required_resource_keys={"warehouse", "airbyte"})
def tenant_run(context: dg.InitResourceContext) -> Iterator[TenantRun]:
    """Hold the tenant's lock for the run; clear what a killed run left, and at the end what this run made."""
    run = context.run
    partition = run.tags.get(PARTITION_NAME_TAG) if run else None
    if run is None or partition is None:
        raise dg.Failure("Launch the job for one tenant: choose a partition.", allow_retries=False)
    warehouse, airbyte = context.resources.warehouse, context.resources.airbyte
    _name_run(context.instance, run, partition)
    try:
        tenant = TenantId(partition)
        limits = limits_of(warehouse.settings)
        with within_run(run.run_id), run_lock(warehouse.control, tenant) as lock, enforced(warehouse.control, limits):
            try:
                _refuse_removing(warehouse, tenant)
                clear_leftovers(warehouse, airbyte, tenant)
                drop_unfinished(warehouse.control, tenant)
            except SluiceError as error:
                _tell_stale(run, warehouse, tenant, error.sentence)
                raise
            try:
                yield TenantRun(tenant, lock)
            finally:
                lock.check()
                clear_leftovers(warehouse, airbyte, tenant)
    except SluiceError as error:
        if context.instance is not None:
            context.instance.add_run_tags(run.run_id, {FAILURE: str(error)})
        raise dg.Failure(str(error), allow_retries=False) from error


def _name_run(instance: dg.DagsterInstance | None, run: dg.DagsterRun, tenant: str) -> None:
    """Tag what was not launched as a whole job of ours; what a re-executed run took over of a failure is no longer."""
    chosen = {key.to_user_string() for key in run.asset_selection or ()}
    tags = run_tags(run.job_name, chosen or None, tenant) | ({FAILURE: "-"} if FAILURE in run.tags else {})
    if instance is not None and not tags.items() <= run.tags.items():
        instance.add_run_tags(run.run_id, tags)


def _refuse_removing(warehouse: Warehouse, tenant: TenantId) -> None:
    with warehouse.control.connect() as store:
        found = find_tenant(store, tenant)
    if found is not None:
        refuse_removing(found)


def _tell_stale(run: dg.DagsterRun, warehouse: Warehouse, tenant: TenantId, reason: str) -> None:
    """A run that could not begin leaves the published release stale, unless it only meant to read it."""
    if run.asset_selection is None or any(key.path[0] != "insights" for key in run.asset_selection):
        with warehouse.control.begin() as store:
            mark_stale(store, tenant, reason)


def clear_leftovers(warehouse: Warehouse, airbyte: AirbyteClient, tenant: TenantId) -> None:
    """Remove the tenant's samples in Airbyte, sample schema and scratch schema."""
    names = TenantNames(tenant)
    for workspace in airbyte.workspaces():
        if workspace.name == names.raw:
            remove_samples(airbyte, names, workspace.id)
    drop_sample(warehouse.control, tenant)
    drop_scratch(warehouse.control, tenant)
