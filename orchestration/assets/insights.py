"""Step 12: facts by SQL from the published marts, read as the tenant's reader, and the report that cites them."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from analysis.errors import PermanentError
from analysis.insights import Fact, collect_facts, write_report
from analysis.store.releases import find_status
from analysis.store.reports import append_analysis, save_facts, save_report
from orchestration.assets.checks import gate, judged
from orchestration.assets.judgements import CITED, CURRENT, judge_currency
from orchestration.assets.lineage import describe
from orchestration.assets.links import step_links
from orchestration.assets.report_previews import score_table, step_timings, worth_saying
from orchestration.assets.steps import tenant_step
from orchestration.assets.tables import rows_table
from orchestration.assets.transformation import release
from orchestration.partitions import tenants
from orchestration.resources.tenant_run import TenantRun
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.identifiers import TenantId, TenantNames

REPORT = dg.AssetKey(["insights", "daily_report"])


@dg.asset(
    key=REPORT,
    group_name="insights",
    deps=[release],
    partitions_def=tenants,
    kinds={"python", "postgres"},
    check_specs=[CITED, CURRENT],
    description=describe("insights/daily_report"),
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
        with gate(context, CITED):
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
                "summary": worth_saying(report),
                "scores": score_table(report),
                "report": dg.MetadataValue.md(report.as_markdown()),
                "facts": len(facts),
                "preview": rows_table([{"fact": each.id, "value": each.value, "unit": each.unit} for each in facts]),
                "release": published.number,
                "timings": step_timings(context, time.monotonic() - started),
                **step_links(REPORT, tenant),
                "seconds": round(time.monotonic() - started, 2),
            },
            check_results=[
                judged(
                    CITED,
                    None,
                    f"The report's numbers are among {len(facts)} facts, each with its SQL.",
                    metadata={"facts": len(facts)},
                ),
                judge_currency(days_behind(facts)),
            ],
        )


def days_behind(facts: Sequence[Fact]) -> float | None:
    """How old the newest data is; None where there is none."""
    ages = (each.value for each in facts if each.id == "freshness.days_behind")
    return next((float(age) for age in ages if age is not None), None)
