"""Step 1: a bounded sample of every source, in a schema that lives as long as the run."""

import time
from collections.abc import Iterable, Mapping

import dagster as dg

from orchestration.assets.judgements import NOT_EMPTY, judge_emptiness
from orchestration.assets.lineage import describe
from orchestration.assets.links import airbyte_link, step_links
from orchestration.assets.steps import tenant_step
from orchestration.assets.tables import rows_table, sizes_metadata
from orchestration.partitions import tenants
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.airbyte_samples import SampleBudget, SampledStream
from orchestration.resources.raw_data import table_sizes
from orchestration.resources.source_samples import SampleBounds, sample_connection
from orchestration.resources.tenant_run import TenantRun
from orchestration.resources.warehouse import Warehouse
from orchestration.settings import Settings
from orchestration.tenancy.adoption import TenantConnections, adopt_tenant
from orchestration.tenancy.raw_names import raw_table_name
from orchestration.tenancy.schemas import grant_raw_read, open_sample

SAMPLE = dg.AssetKey(["sample", "streams"])


@dg.asset(
    key=SAMPLE,
    group_name="sample",
    partitions_def=tenants,
    kinds={"airbyte", "postgres"},
    check_specs=[NOT_EMPTY],
    description=describe("sample/streams"),
)
def sample_streams(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    airbyte: dg.ResourceParam[AirbyteClient],
    tenant_run: dg.ResourceParam[TenantRun],
) -> dg.MaterializeResult:
    """Of each source what the budget of records, bytes and seconds allows, loaded into `tenant_<id>_sample`."""
    with tenant_step(context, warehouse) as tenant:
        started = time.monotonic()
        found = adopt_tenant(warehouse, airbyte, tenant)
        open_sample(warehouse.control, tenant)
        samples = sample_sources(warehouse, airbyte, found)
        sizes = table_sizes(warehouse.builder(tenant), found.names.sample, samples)
        cut = [
            {"table": table, "records": stream.records, "cut": "yes" if stream.is_cut else "no"}
            for table, stream in sorted(samples.items())
        ]
        empty = sorted(table for table, stream in samples.items() if not stream.records)
        return dg.MaterializeResult(
            metadata={
                **sizes_metadata(sizes),
                "cut": sum(stream.is_cut for stream in samples.values()),
                "samples": rows_table(cut, limit=len(cut)),
                "airbyte": airbyte_link(warehouse, found.workspace_id),
                **step_links(SAMPLE, tenant),
                "seconds": round(time.monotonic() - started, 2),
            },
            check_results=[judge_emptiness(empty, len(samples))],
        )


def sample_sources(warehouse: Warehouse, airbyte: AirbyteClient, found: TenantConnections) -> dict[str, SampledStream]:
    """Sample one source after another; what there is of each stream, by table, readable by the builder."""
    names, bounds = found.names, sample_bounds(warehouse.settings)

    def count_rows(tables: Iterable[str]) -> Mapping[str, int]:
        with warehouse.control.begin() as store:
            grant_raw_read(store, names.tenant)
        sizes = table_sizes(warehouse.builder(names.tenant), names.sample, tables)
        return {table: size.rows for table, size in sizes.items()}

    samples = {
        raw_table_name(connection.prefix, stream.name): stream
        for connection in found.by_source.values()
        for stream in sample_connection(airbyte, connection, names.sample, bounds, count_rows)
    }
    with warehouse.control.begin() as store:
        grant_raw_read(store, names.tenant)
    return samples


def sample_bounds(settings: Settings) -> SampleBounds:
    """What the settings allow one source's sample."""
    budget = SampleBudget(records=settings.sample_records, bytes=settings.sample_bytes, seconds=settings.sample_seconds)
    return SampleBounds(budget=budget, patience_seconds=settings.sync_seconds, days=settings.sample_days)
