"""The right to run a tenant, held for the length of a run, and what must be gone when the run ends."""

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG

from analysis.errors import SluiceError
from orchestration.resources.airbyte_client import Airbyte
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.lock import run_lock
from orchestration.tenancy.provisioning import remove_sample_connections
from orchestration.tenancy.schemas import drop_sample, drop_scratch


@dataclass(frozen=True)
class TenantRun:
    """Proof that this process alone runs the tenant."""

    tenant: TenantId


@dg.resource(required_resource_keys={"warehouse", "airbyte"})
def tenant_run(context: dg.InitResourceContext) -> Iterator[TenantRun]:
    """Hold the tenant's lock for the run; clear what a killed run left, and at the end what this run made."""
    run = context.run
    partition = run.tags.get(PARTITION_NAME_TAG) if run else None
    if partition is None:
        raise dg.Failure("Launch the job for one tenant: choose a partition.", allow_retries=False)
    warehouse, airbyte = context.resources.warehouse, context.resources.airbyte
    try:
        tenant = TenantId(partition)
        with run_lock(warehouse.control, tenant):
            clear_leftovers(warehouse, airbyte, tenant)
            try:
                yield TenantRun(tenant)
            finally:
                clear_leftovers(warehouse, airbyte, tenant)
    except SluiceError as error:
        raise dg.Failure(str(error), allow_retries=False) from error


def clear_leftovers(warehouse: Warehouse, airbyte: Airbyte, tenant: TenantId) -> None:
    """Remove the tenant's sample connections, sample schema and scratch schema."""
    names = TenantNames(tenant)
    for workspace in airbyte.workspaces():
        if workspace.name == names.raw:
            remove_sample_connections(airbyte, workspace.id)
    drop_sample(warehouse.control, tenant)
    drop_scratch(warehouse.control, tenant)
