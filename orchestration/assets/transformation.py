"""Steps 10 and 11: dbt builds into the tenant's `__build` schema, and the swap publishes what passed."""

import time
from collections.abc import Iterator

import dagster as dg

from analysis.errors import PermanentError
from orchestration.assets.build_results import TESTS, build_results, failed_tests
from orchestration.assets.charts import bar
from orchestration.assets.checks import gate, tell
from orchestration.assets.freshness import FRESH_SPEC, RELEASE, read_fresh
from orchestration.assets.history import HISTORY_SPEC, keep_history
from orchestration.assets.ingestion import drift
from orchestration.assets.judgements import STAGED
from orchestration.assets.lineage import describe
from orchestration.assets.links import log_link, set_link, step_links
from orchestration.assets.marts import MODELS, mart_specs
from orchestration.assets.steps import tenant_step
from orchestration.assets.tables import ranked_tables, rows_table
from orchestration.gates.approved import approved_plan, approved_row, stored_set
from orchestration.gates.conservation import require_conserved_staging
from orchestration.gates.proof import failed_nodes
from orchestration.partitions import tenants
from orchestration.resources.model_builds import ModelBuilds, SetBuild
from orchestration.resources.tenant_run import TenantRun
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.history.writing import declare_history
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.publishing.builds import abandon_build, find_finished, finish_build, open_build
from orchestration.tenancy.publishing.releases import drop_old_releases, publish
from orchestration.tenancy.publishing.sealing import seal_build

MODELS_SPEC = dg.AssetSpec(
    MODELS,
    group_name="analytics",
    deps=[drift],
    kinds={"dbt", "postgres"},
    description=describe("analytics/models"),
)


@dg.multi_asset(
    name="analytics__models",
    specs=[MODELS_SPEC, *mart_specs()],
    check_specs=[*TESTS.values(), STAGED],
    partitions_def=tenants,
)
def models(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    model_builds: dg.ResourceParam[ModelBuilds],
    tenant_run: dg.ResourceParam[TenantRun],
) -> Iterator[dg.MaterializeResult]:
    """Build and test the approved model set as the tenant's builder; nothing a reader sees is touched."""
    with tenant_step(context, warehouse) as tenant:
        names = TenantNames(TenantId(tenant))
        with warehouse.control.connect() as store:
            row, plan = approved_row(store, tenant), approved_plan(store, tenant)
            model_set = stored_set(store, row)
        build = open_build(warehouse.control, tenant, plan_id=row.plan_id, model_set=row.model_set)
        try:
            built = model_builds.build(tenant, model_set, names.raw, names.build)
            for key, result in failed_tests(built):
                tell(context, TESTS[key], result)
            with gate(context, TESTS[MODELS], {"dbt_log": log_link(warehouse, tenant)}):
                require_green(built)
            with gate(context, STAGED):
                conserved = require_conserved_staging(warehouse.builder(tenant), names.raw, plan, built.staging_rows)
        except PermanentError as error:
            abandon_build(warehouse.control, tenant, error.sentence)
            raise
        declare_history(warehouse.control, tenant, build.number, built.history)
        finish_build(warehouse.control, tenant, build.number)
        yield from build_results(warehouse, tenant, built, conserved)


def require_green(built: SetBuild) -> None:
    """A PermanentError that names the failed models and tests."""
    if not built.outcome.ok:
        raise PermanentError(f"The build failed, the last release stays: {failed_nodes(built.outcome)}")


@dg.asset(
    key=RELEASE,
    group_name="analytics",
    deps=[MODELS, *(spec.key for spec in mart_specs())],
    check_specs=[FRESH_SPEC, HISTORY_SPEC],
    partitions_def=tenants,
    kinds={"postgres"},
    description=describe("analytics/release"),
)
def release(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse], tenant_run: dg.ResourceParam[TenantRun]
) -> dg.MaterializeResult:
    """The swap: the build becomes what readers see, in one transaction; two earlier releases are kept."""
    with tenant_step(context, warehouse) as tenant:
        started = time.monotonic()
        sealed = seal_build(warehouse.control, tenant, find_finished(warehouse.control, tenant).number)
        swap_started = time.monotonic()
        published = publish(warehouse.control, tenant, sealed.number)
        swap = time.monotonic() - swap_started
    # The swap is done: from here on a failure is told, but what readers see is fresh.
    with tenant_step(context, warehouse, before_swap=False) as tenant:
        written, kept = keep_history(warehouse.control, tenant)
        dropped = drop_old_releases(warehouse.control, tenant, keep=warehouse.settings.kept_releases)
        with warehouse.control.connect() as store:
            fresh = read_fresh(store, tenant)
        largest = max(sealed.counts.values(), default=0)
        rows = [
            {"relation": name, "rows": count, "share": bar(count, largest)}
            for name, count in sorted(sealed.counts.items())
        ]
        return dg.MaterializeResult(
            metadata={
                "release": published.number,
                "plan": published.plan_id or 0,
                "model_set": published.model_set or "",
                "dagster/row_count": sum(sealed.counts.values()),
                "dropped_releases": ", ".join(map(str, dropped)) or "none",
                **ranked_tables(rows, "rows", first="largest", whole="relations"),
                "history": rows_table([{"table": name, "rows written": count} for name, count in written.items()]),
                "models": set_link(warehouse, published.model_set),
                **step_links(RELEASE, tenant),
                "swap_seconds": round(swap, 3),
                "seconds": round(time.monotonic() - started, 2),
            },
            check_results=[fresh, kept],
        )
