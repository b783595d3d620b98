"""What a build brought, as materialisations and checks of the models and of each mart, from dbt's own results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import dagster as dg

from orchestration.assets.charts import bar
from orchestration.assets.checks import judged, tenant_check
from orchestration.assets.judgements import STAGED
from orchestration.assets.links import log_link, step_links
from orchestration.assets.mart_charts import mart_chart
from orchestration.assets.marts import MODELS, mart_specs
from orchestration.assets.tables import named, preview_table, ranked_tables, rows_table
from orchestration.resources.dbt_runner import NodeResult
from orchestration.resources.model_builds import SetBuild
from orchestration.resources.raw_data import preview, relation_bytes
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.identifiers import TenantId, TenantNames

TESTS = {
    key: tenant_check(
        "tests",
        key,
        "dbt's tests on it passed in the last build; one that fails keeps the last release. See `dbt_log`.",
    )
    for key in (MODELS, *(spec.key for spec in mart_specs()))
}
"""One check per asset of the build."""


def build_results(
    warehouse: Warehouse, tenant: str, built: SetBuild, conserved: Sequence[dict[str, object]]
) -> Iterator[dg.MaterializeResult]:
    """A materialisation with its checks for the models, then for each mart."""
    yield _models_result(warehouse, tenant, built, conserved)
    builder, names = warehouse.builder(tenant), TenantNames(TenantId(tenant))
    sizes = relation_bytes(builder, names.build)
    for spec in mart_specs():
        name = spec.key.path[-1]
        node = next(node for node in _models(built) if node.name == name)
        yield dg.MaterializeResult(
            asset_key=spec.key,
            metadata={
                "dagster/row_count": node.rows or 0,
                "bytes": sizes.get(name, 0),
                "relation": f"{names.analytics}.{name}",
                **mart_chart(builder, names.build, name),
                "preview": preview_table(preview(builder, names.build, name)),
                "dbt_log": log_link(warehouse, tenant),
                **step_links(spec.key, tenant),
                "seconds": round(node.seconds, 2),
            },
            check_results=[_judge_tests(spec.key, [test for test in _tests(built) if name in test.attached_to])],
        )


def failed_tests(built: SetBuild) -> Iterator[tuple[dg.AssetKey, dg.AssetCheckResult]]:
    """The marts with a failed test, and the result of each one's check."""
    for spec in mart_specs():
        own = [test for test in _tests(built) if spec.key.path[-1] in test.attached_to]
        if any(test.is_failed for test in own):
            yield spec.key, _judge_tests(spec.key, own)


def _models_result(
    warehouse: Warehouse, tenant: str, built: SetBuild, conserved: Sequence[dict[str, object]]
) -> dg.MaterializeResult:
    marts = {spec.key.path[-1] for spec in mart_specs()}
    ran = [node for node in _models(built) if node.name not in marts]
    slowest = max((node.seconds for node in ran), default=0.0)
    rows = [
        {
            "model": node.name,
            "status": node.status,
            "rows": node.rows,
            "seconds": round(node.seconds, 2),
            "time": bar(node.seconds, slowest),
        }
        for node in ran
    ]
    sizes = relation_bytes(warehouse.builder(tenant), TenantNames(TenantId(tenant)).build)
    duplicates = sum(int(str(each["duplicates"])) for each in conserved)
    staged = sum(int(str(each["staged_rows"])) for each in conserved)
    return dg.MaterializeResult(
        asset_key=MODELS,
        metadata={
            "models": len(ran),
            "dagster/row_count": sum(node.rows or 0 for node in ran),
            "bytes": sum(size for name, size in sizes.items() if name not in marts),
            **ranked_tables(rows, "seconds", first="slowest", whole="built"),
            "conservation": rows_table(conserved, limit=len(conserved)),
            "duplicates": duplicates,
            "dbt_log": log_link(warehouse, tenant),
            **step_links(MODELS, tenant),
            "seconds": round(built.outcome.seconds, 2),
        },
        check_results=[
            _judge_tests(MODELS, [test for test in _tests(built) if marts.isdisjoint(test.attached_to)]),
            judged(
                STAGED,
                None,
                f"{staged} rows of {len(conserved)} streams staged, save {duplicates} duplicates.",
                metadata={"staged_rows": staged, "duplicates": duplicates},
            ),
        ],
    )


def _judge_tests(key: dg.AssetKey, tests: Sequence[NodeResult]) -> dg.AssetCheckResult:
    """Whether all tests passed; a warning is told and does not fail."""
    unhappy = [node for node in tests if node.status != "pass"]
    failed = [node.name for node in unhappy if node.is_failed]
    problem = f"Failed: {named(failed)}. To do: read dbt's log." if failed else None
    warned = f" Warnings: {named([node.name for node in unhappy])}." if unhappy else ""
    return judged(
        TESTS[key],
        problem,
        f"{len(tests) - len(unhappy)} of {len(tests)} tests passed.{warned}",
        metadata={"tests": len(tests), "warnings": ", ".join(node.name for node in unhappy) or "none"},
    )


def _models(built: SetBuild) -> list[NodeResult]:
    return [node for node in built.outcome.results if node.resource_type == "model"]


def _tests(built: SetBuild) -> list[NodeResult]:
    return [node for node in built.outcome.results if node.resource_type == "test"]
