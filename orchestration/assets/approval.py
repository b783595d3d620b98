"""Steps 6 and 7: prove and review."""

import time

import dagster as dg

from analysis.store.plans import decide_review, list_verdicts, open_review
from analysis.store.tenants import list_sources, set_approved
from orchestration.assets import judgements
from orchestration.assets.checks import judged, refusal, tell
from orchestration.assets.lineage import describe
from orchestration.assets.links import log_link, set_link, step_links
from orchestration.assets.modelling import POLICY, model_plan
from orchestration.assets.sampling import sample_streams
from orchestration.assets.steps import tenant_step
from orchestration.assets.tables import rows_table
from orchestration.gates.approved import proposed_row
from orchestration.gates.proof import BUILDS, FITS_SAMPLE, SAFE, Verdict, prove_plan, require_passed
from orchestration.partitions import tenants
from orchestration.resources.model_builds import ModelBuilds
from orchestration.resources.tenant_run import TenantRun
from orchestration.resources.warehouse import Warehouse

PROOF, REVIEW = dg.AssetKey(["analysis", "proof"]), dg.AssetKey(["analysis", "review"])
GATES = {FITS_SAMPLE: judgements.FITS_SAMPLE, SAFE: judgements.SAFE, BUILDS: judgements.BUILDS}


@dg.asset(
    key=PROOF,
    group_name="analysis",
    deps=[model_plan, sample_streams],
    partitions_def=tenants,
    kinds={"dbt", "postgres"},
    check_specs=list(GATES.values()),
    description=describe("analysis/proof"),
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
        if not verdicts[-1].passed:
            for verdict in verdicts:
                tell(context, GATES[verdict.gate], judge_verdict(verdict, tenant))
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
                **step_links(PROOF, tenant),
                "seconds": round(time.monotonic() - started, 2),
            },
            check_results=[judge_verdict(each, tenant) for each in verdicts],
        )


def judge_verdict(verdict: Verdict, tenant: str) -> dg.AssetCheckResult:
    """A gate's verdict as the check of that gate, all its problems listed."""
    spec = GATES[verdict.gate]
    if verdict.passed:
        return judged(spec, None, said(verdict) or "Nothing found against it.", metadata=verdict.summary)
    problems = rows_table([{"problem": each} for each in verdict.problems], limit=len(verdict.problems))
    more = f" And {len(verdict.problems) - 1} more." if len(verdict.problems) > 1 else ""
    return refusal(spec, tenant, f"{verdict.problems[0]}{more}", {"problems": problems})


def said(verdict: Verdict) -> str:
    """What a gate counted, in one cell."""
    return ", ".join(f"{name} {value}" for name, value in verdict.summary.items())


@dg.asset(
    key=REVIEW,
    group_name="analysis",
    deps=[proof],
    partitions_def=tenants,
    kinds={"python"},
    check_specs=[judgements.APPROVED],
    description=describe("analysis/review"),
)
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
                **step_links(REVIEW, tenant),
                "seconds": round(time.monotonic() - started, 2),
            },
            check_results=[judged(judgements.APPROVED, None, f"Plan {plan.plan_id} approved by {POLICY}. {reason}")],
        )
