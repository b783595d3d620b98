"""Steps 8 and 9: the production sync, and what it brought against what the plan expects."""

import time
from collections.abc import Iterable

import dagster as dg

from analysis.store.runs import finish_sync
from orchestration.assets.approval import review
from orchestration.assets.links import airbyte_link, step_link
from orchestration.assets.modelling import model_plan
from orchestration.assets.steps import rows_table, sizes_metadata, tenant_step
from orchestration.gates.conservation import Load, require_conserved_loads
from orchestration.gates.drift import find_drift, stop_on_drift
from orchestration.partitions import tenants
from orchestration.resources.airbyte_client import Airbyte
from orchestration.resources.airbyte_records import Connection
from orchestration.resources.airbyte_sync import sync_connection
from orchestration.resources.raw_data import TableSize, table_sizes
from orchestration.resources.tenant_run import TenantRun
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.adoption import adopt_tenant
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.raw_names import raw_table_name
from orchestration.tenancy.schemas import grant_raw_read

DEDUPLICATED = "append_dedup"
"""Airbyte's destination sync mode that keeps one row per key."""


@dg.asset(
    key=["raw", "streams"], group_name="raw", deps=[review], partitions_def=tenants, kinds={"airbyte", "postgres"}
)
def raw_streams(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    airbyte: dg.ResourceParam[Airbyte],
    tenant_run: dg.ResourceParam[TenantRun],
) -> dg.MaterializeResult:
    """Every stream of every source, synced by Airbyte into `tenant_<id>`; a running job is joined."""
    with tenant_step(context, warehouse) as tenant:
        started = time.monotonic()
        found = adopt_tenant(warehouse, airbyte, tenant)
        loads: list[Load] = []
        sizes: dict[str, TableSize] = {}
        for source, connection in sorted(found.by_source.items()):
            tables = {
                raw_table_name(connection.prefix, each.name): each for each in airbyte.configured_streams(connection.id)
            }
            before = raw_sizes(warehouse, tenant, tables)
            records = sync_source(warehouse, airbyte, found.workspace_id, tenant, source, connection)
            after = raw_sizes(warehouse, tenant, tables)
            loads += [
                Load(
                    table=table,
                    records=records.get(stream.name, 0),
                    rows_before=before[table].rows if table in before else 0,
                    rows=after[table].rows if table in after else 0,
                    is_deduplicated=stream.destination_sync_mode == DEDUPLICATED,
                )
                for table, stream in tables.items()
            ]
            sizes |= after
        conserved = require_conserved_loads(loads)
        return dg.MaterializeResult(
            metadata={
                **sizes_metadata(sizes),
                "records": sum(load.records for load in loads),
                "duplicates": sum(load.duplicates for load in loads),
                "conservation": rows_table(conserved, limit=len(conserved)),
                "airbyte": airbyte_link(warehouse, found.workspace_id),
                "seconds": round(time.monotonic() - started, 2),
            }
        )


def raw_sizes(warehouse: Warehouse, tenant: str, tables: Iterable[str]) -> dict[str, TableSize]:
    """Rows and bytes of raw tables, read as the builder."""
    with warehouse.control.begin() as store:
        grant_raw_read(store, tenant)
    return table_sizes(warehouse.builder(tenant), TenantNames(TenantId(tenant)).raw, tables)


def sync_source(
    warehouse: Warehouse, airbyte: Airbyte, workspace_id: str, tenant: str, source: str, connection: Connection
) -> dict[str, int]:
    """Sync one source and keep its history; records that the source emitted, per stream."""
    namespace = TenantNames(TenantId(tenant)).raw
    seconds = warehouse.settings.sync_seconds
    job = sync_connection(airbyte, workspace_id, connection.id, namespace=namespace, seconds=seconds)
    records = airbyte.emitted_records(job.id)
    with warehouse.control.begin() as store:
        finish_sync(
            store,
            tenant,
            source,
            str(job.id),
            status=job.status,
            rows=records,
            byte_count=job.bytes,
            connection_id=connection.id,
        )
    return records


@dg.asset(key=["raw", "drift"], group_name="raw", deps=[raw_streams], partitions_def=tenants, kinds={"postgres"})
def drift(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse], tenant_run: dg.ResourceParam[TenantRun]
) -> dg.MaterializeResult:
    """Raw tables against the approved plan: what is missing or retyped pauses the tenant before dbt."""
    with tenant_step(context, warehouse) as tenant:
        started = time.monotonic()
        found = find_drift(warehouse, tenant)
        stop_on_drift(warehouse, tenant, found)
        kinds = {"breaking": found.breaking, "additive": found.additive}
        changes = [{"kind": kind, "count": len(names), "names": ", ".join(names)} for kind, names in kinds.items()]
        return dg.MaterializeResult(
            metadata={
                "breaking": 0,
                "additive": len(found.additive),
                "changes": rows_table(changes),
                "compared_with": step_link(model_plan.key),
                "seconds": round(time.monotonic() - started, 2),
            }
        )
