"""Steps 6 and 7: prove and review."""

import time

import dagster as dg

from analysis.store.plans import decide_review, list_verdicts, open_review
from analysis.store.tenants import list_sources, set_approved
from orchestration.assets.links import log_link, set_link
from orchestration.assets.modelling import POLICY, model_plan
from orchestration.assets.sampling import sample_streams
from orchestration.assets.steps import rows_table, tenant_step
from orchestration.gates.approved import proposed_row
from orchestration.gates.proof import Verdict, prove_plan, require_passed
from orchestration.partitions import tenants
from orchestration.resources.model_builds import ModelBuilds
from orchestration.resources.tenant_run import TenantRun
from orchestration.resources.warehouse import Warehouse


@dg.asset(
    key=["analysis", "proof"],
    group_name="analysis",
    deps=[model_plan, sample_streams],
    partitions_def=tenants,
    kinds={"dbt", "postgres"},
)
def proof(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    model_builds: dg.ResourceParam[ModelBuilds],
    tenant_run: dg.ResourceParam[TenantRun],
) -> dg.MaterializeResult:
    """The gates before review, each with a stored verdict: static checks, a build on the sample, conservation."""
    with tenant_step(context, warehouse) as tenant:
        started = time.monotonic()
        with warehouse.control.connect() as store:
            plan = proposed_row(store, tenant)
        verdicts = prove_plan(warehouse, model_builds, tenant, plan)
        require_passed(verdicts)
        return dg.MaterializeResult(
            metadata={
                "plan": plan.plan_id,
                "gates": len(verdicts),
                "preview": rows_table(
                    [{"gate": each.gate, "verdict": "passed", "found": said(each)} for each in verdicts]
                ),
                "models": set_link(warehouse, plan.model_set),
                "dbt_log": log_link(warehouse, tenant),
                "seconds": round(time.monotonic() - started, 2),
            }
        )


def said(verdict: Verdict) -> str:
    """What a gate counted, in one cell."""
    return ", ".join(f"{name} {value}" for name, value in verdict.summary.items())


@dg.asset(key=["analysis", "review"], group_name="analysis", deps=[proof], partitions_def=tenants, kinds={"python"})
def review(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse], tenant_run: dg.ResourceParam[TenantRun]
) -> dg.MaterializeResult:
    """The decision on a proven plan: the policy approves one that passed every gate."""
    with tenant_step(context, warehouse) as tenant, warehouse.control.begin() as store:
        started = time.monotonic()
        plan = proposed_row(store, tenant)
        verdicts = list_verdicts(store, plan.plan_id)
        passed = [verdict.gate for verdict in verdicts if verdict.passed]
        reason = f"Passed {', '.join(passed)}."
        for source in list_sources(store, tenant):
            set_approved(store, tenant, source.name)
        open_review(store, plan.plan_id)
        # The decision's row in the audit log comes last: whoever else holds a source waits for the log.
        decide_review(store, plan.plan_id, "approved", decided_by=POLICY, reason=reason)
        return dg.MaterializeResult(
            metadata={
                "plan": plan.plan_id,
                "decided_by": POLICY,
                "reason": reason,
                "model_set": plan.model_set,
                "gates": len(verdicts),
                "preview": rows_table([{"gate": each.gate, "passed": each.passed} for each in verdicts]),
                "models": set_link(warehouse, plan.model_set),
                "seconds": round(time.monotonic() - started, 2),
            }
        )
