"""Steps 8 and 9: the production sync, and what it brought against what the plan expects."""

import time
from collections.abc import Iterable, Mapping, Sequence

import dagster as dg

from orchestration.assets.approval import review
from orchestration.assets.checks import gate, judged, tell
from orchestration.assets.judgements import FITS_PLAN, LOADED, NOTHING_NEW, judge_additions
from orchestration.assets.lineage import describe
from orchestration.assets.links import airbyte_link, step_links
from orchestration.assets.steps import tenant_step
from orchestration.assets.tables import rows_table, sizes_metadata
from orchestration.gates.conservation import Load, require_conserved_loads
from orchestration.gates.drift import find_drift, stop_on_drift
from orchestration.partitions import tenants
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.airbyte_counts import StreamCounts
from orchestration.resources.airbyte_records import ConfiguredStream, Connection, Job
from orchestration.resources.airbyte_sync import sync_connection
from orchestration.resources.raw_data import TableSize, table_sizes
from orchestration.resources.tenant_run import TenantRun
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.adoption import adopt_tenant
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.raw_names import raw_table_name
from orchestration.tenancy.schemas import grant_raw_read
from orchestration.tenancy.syncs import record_job

RAW, DRIFT = dg.AssetKey(["raw", "streams"]), dg.AssetKey(["raw", "drift"])


@dg.asset(
    key=RAW,
    group_name="raw",
    deps=[review],
    partitions_def=tenants,
    kinds={"airbyte", "postgres"},
    check_specs=[LOADED],
    description=describe("raw/streams"),
)
def raw_streams(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    airbyte: dg.ResourceParam[AirbyteClient],
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
            job, counts = sync_source(
                warehouse, airbyte, found.workspace_id, tenant, source, connection, list(tables.values())
            )
            after = raw_sizes(warehouse, tenant, tables)
            loads += [
                load_of(table, stream, job, counts.get(stream.name), before, after) for table, stream in tables.items()
            ]
            sizes |= after
        with gate(context, LOADED):
            conserved = require_conserved_loads(loads)
        records, duplicates = sum(load.records for load in loads), sum(load.duplicates for load in loads)
        found_all = f"{records} records of {len(loads)} streams are rows, save {duplicates} duplicates."
        return dg.MaterializeResult(
            metadata={
                **sizes_metadata(sizes),
                "records": records,
                "duplicates": duplicates,
                "conservation": rows_table(conserved, limit=len(conserved)),
                "airbyte": airbyte_link(warehouse, found.workspace_id),
                **step_links(RAW, tenant),
                "seconds": round(time.monotonic() - started, 2),
            },
            check_results=[judged(LOADED, None, found_all, metadata={"records": records, "duplicates": duplicates})],
        )


def raw_sizes(warehouse: Warehouse, tenant: str, tables: Iterable[str]) -> dict[str, TableSize]:
    """Rows and bytes of raw tables, read as the builder."""
    with warehouse.control.begin() as store:
        grant_raw_read(store, tenant)
    return table_sizes(warehouse.builder(tenant), TenantNames(TenantId(tenant)).raw, tables)


def load_of(
    table: str,
    stream: ConfiguredStream,
    job: Job,
    told: StreamCounts | None,
    before: Mapping[str, TableSize],
    after: Mapping[str, TableSize],
) -> Load:
    """What a job did to a raw table, by the numbers that its sync mode makes comparable."""
    counts = told or StreamCounts()
    # What a retried attempt reads again is emitted twice, and appended once.
    is_counted_when_written = stream.is_filtered or not (stream.is_deduplicated or job.replaces(stream))
    return Load(
        table=table,
        records=counts.committed if is_counted_when_written else counts.emitted,
        rows_before=before[table].rows if table in before else 0,
        rows=after[table].rows if table in after else 0,
        is_deduplicated=stream.is_deduplicated,
        is_replaced=job.replaces(stream),
        is_told=told is not None,
    )


def sync_source(
    warehouse: Warehouse,
    airbyte: AirbyteClient,
    workspace_id: str,
    tenant: str,
    source: str,
    connection: Connection,
    streams: Sequence[ConfiguredStream],
) -> tuple[Job, dict[str, StreamCounts]]:
    """Sync one source, and keep its history also where the job failed; the job, and what it brought per stream."""
    counts: dict[str, StreamCounts] = {}

    def keep(job: Job) -> None:
        counts.update(record_job(warehouse, airbyte, tenant, source, connection, job, streams).counts)

    namespace = TenantNames(TenantId(tenant)).raw
    seconds = warehouse.settings.sync_seconds
    job = sync_connection(airbyte, workspace_id, connection.id, namespace=namespace, seconds=seconds, on_end=keep)
    return job, counts


@dg.asset(
    key=DRIFT,
    group_name="raw",
    deps=[raw_streams],
    partitions_def=tenants,
    kinds={"postgres"},
    check_specs=[FITS_PLAN, NOTHING_NEW],
    description=describe("raw/drift"),
)
def drift(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse], tenant_run: dg.ResourceParam[TenantRun]
) -> dg.MaterializeResult:
    """Raw tables against the approved plan: what is missing or retyped pauses the tenant before dbt."""
    with tenant_step(context, warehouse) as tenant:
        started = time.monotonic()
        found = find_drift(warehouse, tenant)
        kinds = {"breaking": found.breaking, "additive": found.additive}
        changes = rows_table(
            [{"kind": kind, "count": len(names), "names": ", ".join(names)} for kind, names in kinds.items()]
        )
        added = judge_additions(found.additive, tenant)
        if found.breaking:
            tell(context, NOTHING_NEW, added)
        with gate(context, FITS_PLAN, {"changes": changes, "breaking": len(found.breaking)}):
            stop_on_drift(warehouse, tenant, found)
        return dg.MaterializeResult(
            metadata={
                "breaking": 0,
                "additive": len(found.additive),
                "changes": changes,
                **step_links(DRIFT, tenant),
                "seconds": round(time.monotonic() - started, 2),
            },
            check_results=[
                judged(
                    FITS_PLAN, None, "All that the plan reads is there, of the same types.", metadata={"breaking": 0}
                ),
                added,
            ],
        )
