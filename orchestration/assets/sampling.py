"""Step 1: a bounded sample of every source, in a schema that lives as long as the run."""

import time

import dagster as dg

from orchestration.assets.links import airbyte_link
from orchestration.assets.steps import sizes_metadata, tenant_step
from orchestration.partitions import tenants
from orchestration.resources.airbyte_client import Airbyte
from orchestration.resources.airbyte_sync import sync_connection
from orchestration.resources.raw_data import table_sizes
from orchestration.resources.tenant_run import TenantRun
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.adoption import adopt_tenant
from orchestration.tenancy.provisioning import open_sample_connection
from orchestration.tenancy.raw_names import raw_table_name
from orchestration.tenancy.schemas import grant_raw_read, open_sample


@dg.asset(key=["sample", "streams"], group_name="sample", partitions_def=tenants, kinds={"airbyte", "postgres"})
def sample_streams(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    airbyte: dg.ResourceParam[Airbyte],
    tenant_run: dg.ResourceParam[TenantRun],
) -> dg.MaterializeResult:
    """At most so many records of each stream, loaded by Airbyte into `tenant_<id>_sample`."""
    with tenant_step(context, warehouse) as tenant:
        started = time.monotonic()
        found = adopt_tenant(warehouse, airbyte, tenant)
        open_sample(warehouse.control, tenant)
        tables = []
        for connection in found.by_source.values():
            sample = open_sample_connection(airbyte, found.names, connection)
            sync_connection(
                airbyte,
                found.workspace_id,
                sample,
                namespace=found.names.sample,
                seconds=warehouse.settings.sample_seconds,
                record_limit=warehouse.settings.sample_records,
            )
            tables += [raw_table_name(connection.prefix, each.name) for each in airbyte.configured_streams(sample)]
        with warehouse.control.begin() as store:
            grant_raw_read(store, tenant)
        sizes = table_sizes(warehouse.builder(tenant), found.names.sample, tables)
        return dg.MaterializeResult(
            metadata={
                **sizes_metadata(sizes),
                "airbyte": airbyte_link(warehouse, found.workspace_id),
                "seconds": round(time.monotonic() - started, 2),
            }
        )
