"""Steps 10 and 11: dbt builds into the tenant's `__build` schema, and the swap publishes what passed."""

import time
from collections.abc import Iterator

import dagster as dg

from analysis.errors import PermanentError
from orchestration.assets.freshness import FRESH_SPEC, RELEASE, read_fresh
from orchestration.assets.history import HISTORY_SPEC, keep_history
from orchestration.assets.ingestion import drift
from orchestration.assets.links import log_link, set_link
from orchestration.assets.marts import MODELS, mart_specs
from orchestration.assets.steps import preview_table, rows_table, tenant_step
from orchestration.gates.approved import approved_plan, approved_row, stored_set
from orchestration.gates.conservation import require_conserved_staging
from orchestration.gates.proof import failed_nodes
from orchestration.partitions import tenants
from orchestration.resources.dbt_runner import NodeResult
from orchestration.resources.model_builds import ModelBuilds, SetBuild
from orchestration.resources.raw_data import preview, relation_bytes
from orchestration.resources.tenant_run import TenantRun
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.history.writing import declare_history
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.publishing.builds import abandon_build, find_finished, finish_build, open_build
from orchestration.tenancy.publishing.releases import drop_old_releases, publish
from orchestration.tenancy.publishing.sealing import seal_build

TESTS = "tests"
MODELS_SPEC = dg.AssetSpec(
    MODELS,
    group_name="analytics",
    deps=[drift],
    kinds={"dbt", "postgres"},
    description="Staging, canonical and the tenant's own models of its approved model set.",
)
"""One check per asset: whether dbt's tests on it passed."""
CHECKS = [dg.AssetCheckSpec(TESTS, asset=spec.key) for spec in (MODELS_SPEC, *mart_specs())]


@dg.multi_asset(
    name="analytics__models",
    specs=[MODELS_SPEC, *mart_specs()],
    check_specs=CHECKS,
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
            require_green(built)
            conserved = require_conserved_staging(warehouse.builder(tenant), names.raw, plan, built.staging_rows)
        except PermanentError as error:
            abandon_build(warehouse.control, tenant, error.sentence)
            raise
        declare_history(warehouse.control, tenant, build.number, built.history)
        finish_build(warehouse.control, tenant, build.number)
        yield from results(context, warehouse, tenant, built, conserved)


def require_green(built: SetBuild) -> None:
    """A PermanentError that names the failed models and tests."""
    if not built.outcome.ok:
        raise PermanentError(f"The build failed, the last release stays: {failed_nodes(built.outcome)}")


def results(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    tenant: str,
    built: SetBuild,
    conserved: list[dict[str, object]],
) -> Iterator[dg.MaterializeResult]:
    """A materialisation and a check for the models and for each mart, from dbt's own results."""
    keys = {spec.key.path[-1]: spec.key for spec in mart_specs()}
    marts = set(keys)
    names = TenantNames(TenantId(tenant))
    ran = [node for node in built.outcome.results if node.resource_type == "model"]
    others = [
        {"model": node.name, "status": node.status, "rows": node.rows, "seconds": round(node.seconds, 2)}
        for node in ran
        if node.name not in marts
    ]
    builder = warehouse.builder(tenant)
    sizes = relation_bytes(builder, names.build)
    yield dg.MaterializeResult(
        asset_key=MODELS,
        metadata={
            "models": len(others),
            "seconds": round(built.outcome.seconds, 2),
            "dagster/row_count": sum(node.rows or 0 for node in ran if node.name not in marts),
            "built": rows_table(others, limit=len(others)),
            "conservation": rows_table(conserved, limit=len(conserved)),
            "duplicates": sum(int(str(each["duplicates"])) for each in conserved),
            "bytes": sum(size for name, size in sizes.items() if name not in marts),
            "dbt_log": log_link(warehouse, tenant),
        },
        check_results=[test_result(MODELS, [node for node in tests_of(built) if marts.isdisjoint(node.attached_to)])],
    )
    for name, key in keys.items():
        own = [test for test in tests_of(built) if name in test.attached_to]
        node = next(node for node in ran if node.name == name)
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={
                "dagster/row_count": node.rows or 0,
                "bytes": sizes.get(name, 0),
                "seconds": round(node.seconds, 2),
                "relation": f"{names.analytics}.{name}",
                "preview": preview_table(preview(builder, names.build, name)),
                "dbt_log": log_link(warehouse, tenant),
            },
            check_results=[test_result(key, own)],
        )


def tests_of(built: SetBuild) -> list[NodeResult]:
    """dbt's test results of a build."""
    return [node for node in built.outcome.results if node.resource_type == "test"]


def test_result(key: dg.AssetKey, tests: list[NodeResult]) -> dg.AssetCheckResult:
    """Whether all tests passed; a warning is told and does not fail."""
    unhappy = [node for node in tests if node.status != "pass"]
    return dg.AssetCheckResult(
        passed=not any(node.is_failed for node in unhappy),
        asset_key=key,
        check_name=TESTS,
        metadata={"tests": len(tests), "warnings": ", ".join(node.name for node in unhappy) or "none"},
    )


@dg.asset(
    key=RELEASE,
    group_name="analytics",
    deps=[MODELS, *(spec.key for spec in mart_specs())],
    check_specs=[FRESH_SPEC, HISTORY_SPEC],
    partitions_def=tenants,
    kinds={"postgres"},
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
        rows = [{"relation": name, "rows": count} for name, count in sorted(sealed.counts.items())]
        return dg.MaterializeResult(
            metadata={
                "release": published.number,
                "plan": published.plan_id or 0,
                "model_set": published.model_set or "",
                "dagster/row_count": sum(sealed.counts.values()),
                "dropped_releases": ", ".join(map(str, dropped)) or "none",
                "relations": rows_table(rows, limit=len(rows)),
                "history": rows_table([{"table": name, "rows written": count} for name, count in written.items()]),
                "models": set_link(warehouse, published.model_set),
                "swap_seconds": round(swap, 3),
                "seconds": round(time.monotonic() - started, 2),
            },
            check_results=[fresh, kept],
        )
