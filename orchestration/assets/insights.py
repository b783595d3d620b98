"""Step 12: facts by SQL from the published marts, read as the tenant's reader, and the report that cites them."""

import time
from datetime import UTC, datetime

import dagster as dg

from analysis.errors import PermanentError
from analysis.insights import collect_facts, write_report
from analysis.store.releases import find_status
from analysis.store.reports import append_analysis, save_facts, save_report
from orchestration.assets.links import step_link
from orchestration.assets.steps import rows_table, tenant_step
from orchestration.assets.transformation import release
from orchestration.partitions import tenants
from orchestration.resources.tenant_run import TenantRun
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.identifiers import TenantId, TenantNames


@dg.asset(
    key=["insights", "daily_report"],
    group_name="insights",
    deps=[release],
    partitions_def=tenants,
    kinds={"python", "postgres"},
)
def daily_report(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse], tenant_run: dg.ResourceParam[TenantRun]
) -> dg.MaterializeResult:
    """One report per tenant and UTC day, from published marts only; a second run of a day replaces it."""
    with tenant_step(context, warehouse, before_swap=False) as tenant:
        started = time.monotonic()
        today = datetime.now(UTC).date()
        with warehouse.control.connect() as store:
            published = find_status(store, tenant, "published")
        if published is None:
            raise PermanentError(f"Tenant {tenant} has no published release; run `sluice onboard {tenant}`.")
        with warehouse.reader(tenant).connect() as reader:
            facts = collect_facts(reader, TenantNames(TenantId(tenant)).analytics, today, published.number)
        report = write_report(tenant, today, facts)
        body = report.model_dump(mode="json")
        with warehouse.control.begin() as store:
            save_facts(
                store, tenant, today, published.number, {fact.id: fact.model_dump(mode="json") for fact in facts}
            )
            save_report(store, tenant, today, published.number, body, report.as_markdown())
            append_analysis(
                store,
                tenant,
                published.number,
                today,
                health_score=report.health_score,
                churn_risk=report.churn_risk,
                insights=body["insights"],
                recommendations=body["recommendations"],
            )
        return dg.MaterializeResult(
            metadata={
                "report": dg.MetadataValue.md(report.as_markdown()),
                "facts": len(facts),
                "preview": rows_table([{"fact": each.id, "value": each.value, "unit": each.unit} for each in facts]),
                "release": published.number,
                "release_step": step_link(release.key),
                "seconds": round(time.monotonic() - started, 2),
            }
        )
