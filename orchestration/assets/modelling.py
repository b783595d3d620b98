"""Steps 2 to 5: profile, map, plan and render."""

import time

import dagster as dg

from analysis.mapping import propose_mappings
from analysis.modelling import plan_models, render
from analysis.modelling.rendering import RENDERER_VERSION
from analysis.profiling import SampleProfile, profile_sample
from analysis.store.plans import save_model_set, save_plan
from analysis.store.profiles import load_mappings, load_profile, save_mappings, save_profile
from analysis.store.tenants import list_sources
from orchestration.assets.charts import bar
from orchestration.assets.judgements import KEYED, MAPPED, judge_keys, judge_mappings
from orchestration.assets.lineage import describe
from orchestration.assets.links import step_links
from orchestration.assets.mapping_previews import entity_table
from orchestration.assets.sampling import sample_streams
from orchestration.assets.steps import tenant_step
from orchestration.assets.tables import rows_table
from orchestration.partitions import tenants
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.raw_data import read_sample
from orchestration.resources.tenant_run import TenantRun
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.adoption import find_connections

POLICY = "policy"
PROFILE, MAPPINGS, PLAN = (dg.AssetKey(["analysis", name]) for name in ("profile", "mappings", "model_plan"))


@dg.asset(
    key=PROFILE,
    group_name="analysis",
    deps=[sample_streams],
    partitions_def=tenants,
    kinds={"python"},
    check_specs=[KEYED],
    description=describe("analysis/profile"),
)
def profile(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    airbyte: dg.ResourceParam[AirbyteClient],
    tenant_run: dg.ResourceParam[TenantRun],
) -> dg.MaterializeResult:
    """Columns, keys and references of every sampled stream."""
    with tenant_step(context, warehouse) as tenant:
        started = time.monotonic()
        found = find_connections(airbyte, tenant)
        builder = warehouse.builder(tenant)
        samples = [
            read_sample(
                builder, found.names.sample, source, connection.prefix, stream, warehouse.settings.sample_records
            )
            for source, connection in sorted(found.by_source.items())
            for stream in airbyte.configured_streams(connection.id)
        ]
        profiled = profile_sample(samples)
        with warehouse.control.begin() as store:
            save_profile(store, tenant, profiled)
        rows = [
            {
                "source": stream.source,
                "stream": stream.stream,
                "rows": stream.row_count,
                "columns": len(stream.columns),
                "key": ", ".join(".".join(path) for path in stream.keys[0].columns) if stream.keys else "none",
                "declared": bool(stream.keys and stream.keys[0].is_declared),
            }
            for stream in profiled.streams
        ]
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": sum(stream.row_count for stream in profiled.streams),
                "streams": len(profiled.streams),
                "columns": sum(len(stream.columns) for stream in profiled.streams),
                "personal_columns": sum(each.is_personal for stream in profiled.streams for each in stream.columns),
                "references": len(profiled.references),
                "preview": rows_table(rows, limit=len(rows)),
                **step_links(PROFILE, tenant),
                "seconds": round(time.monotonic() - started, 2),
            },
            check_results=[judge_keys(streams_without_keys(profiled), len(profiled.streams))],
        )


def streams_without_keys(profiled: SampleProfile) -> list[str]:
    """The streams of which neither the source nor the sample tells a key."""
    return [f"{stream.source}.{stream.stream}" for stream in profiled.streams if not stream.keys]


@dg.asset(
    key=MAPPINGS,
    group_name="analysis",
    deps=[profile],
    partitions_def=tenants,
    kinds={"python"},
    check_specs=[MAPPED],
    description=describe("analysis/mappings"),
)
def mappings(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse], tenant_run: dg.ResourceParam[TenantRun]
) -> dg.MaterializeResult:
    """Which source field feeds which canonical field; what does not map stays the tenant's own."""
    with tenant_step(context, warehouse) as tenant:
        started = time.monotonic()
        with warehouse.control.connect() as store:
            profiled = load_profile(store, tenant)
            connectors = {row.name: row.connector for row in list_sources(store, tenant)}
        proposed = propose_mappings(profiled)
        with warehouse.control.begin() as store:
            save_mappings(store, tenant, connectors, proposed, decided_by=POLICY)
        mapped = [stream for stream in proposed if stream.entity is not None]
        rows = [
            {
                "source": stream.source,
                "stream": stream.stream,
                "entity": stream.entity,
                "confidence": round(stream.confidence, 2),
                "sure": bar(stream.confidence, 1),
                "fields": ", ".join(field.field for field in stream.fields),
            }
            for stream in mapped
        ]
        return dg.MaterializeResult(
            metadata={
                "streams": len(proposed),
                "mapped_streams": len(mapped),
                "mapped_fields": sum(len(stream.fields) for stream in mapped),
                "entities": entity_table(mapped),
                "preview": rows_table(rows, limit=len(rows)),
                **step_links(MAPPINGS, tenant),
                "seconds": round(time.monotonic() - started, 2),
            },
            check_results=[judge_mappings(len(proposed), sorted({str(each.entity) for each in mapped}))],
        )


@dg.asset(
    key=PLAN,
    group_name="analysis",
    deps=[mappings],
    partitions_def=tenants,
    kinds={"python"},
    description=describe("analysis/model_plan"),
)
def model_plan(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse], tenant_run: dg.ResourceParam[TenantRun]
) -> dg.MaterializeResult:
    """The plan of every model and test, and the model set that it renders to."""
    with tenant_step(context, warehouse) as tenant:
        started = time.monotonic()
        with warehouse.control.connect() as store:
            plan = plan_models(load_profile(store, tenant), load_mappings(store, tenant))
        rendered = render(plan)
        with warehouse.control.begin() as store:
            save_model_set(store, rendered.name, str(RENDERER_VERSION), rendered.files)
            row = save_plan(store, tenant, rendered.name, plan.model_dump(mode="json"))
        decisions = [
            {"what": each.subject, "choice": each.choice, "by": each.made_by, "why": each.evidence}
            for each in plan.decisions
            if each.subject.startswith("union/")
        ]
        staged = [
            {"model": each.name, "source": each.source, "stream": each.stream, "columns": len(each.columns)}
            for each in plan.staging
        ]
        return dg.MaterializeResult(
            metadata={
                "plan": row.plan_id,
                "model_set": rendered.name,
                "staging_models": len(plan.staging),
                "own_models": len(plan.own),
                "files": len(rendered.files),
                "preview": rows_table(staged, limit=len(staged)),
                "decisions": rows_table(decisions),
                **step_links(PLAN, tenant),
                "seconds": round(time.monotonic() - started, 2),
            }
        )
