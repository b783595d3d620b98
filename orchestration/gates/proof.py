"""The proof of a plan before anyone approves it: each gate in order, each with a stored verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from analysis.errors import PermanentError
from analysis.modelling import ModelPlan, ModelSet, load_plan
from analysis.modelling.checks import Finding, check_plan, check_set
from analysis.store.plans import PlanRow, record_verdict
from analysis.store.profiles import load_profile
from orchestration.gates.approved import stored_set
from orchestration.gates.conservation import require_conserved_staging
from orchestration.resources.model_builds import ModelBuilds
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.schemas import drop_scratch, open_scratch

if TYPE_CHECKING:
    from orchestration.resources.dbt_runner import BuildOutcome

FITS_SAMPLE, SAFE, BUILDS = "plan fits the sample", "models are safe", "builds on the sample"
SHOWN = 3
"""Failures that a sentence names; the verdict holds all."""


@dataclass(frozen=True)
class Verdict:
    """What one gate said: a summary when it passed, sentences when it did not."""

    gate: str
    problems: tuple[str, ...] = ()
    summary: Mapping[str, object] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether the plan may go on."""
        return not self.problems


def prove_plan(warehouse: Warehouse, builds: ModelBuilds, tenant: str, row: PlanRow) -> list[Verdict]:
    """Judge a proposed plan gate by gate and stop at the first that refuses it; every verdict is stored."""
    plan = load_plan(orjson.dumps(row.plan))
    with warehouse.control.connect() as store:
        profile, model_set = load_profile(store, tenant), stored_set(store, row)
    gates: tuple[Callable[[], Verdict], ...] = (
        lambda: _judge(FITS_SAMPLE, check_plan(plan, profile)),
        lambda: _judge(SAFE, check_set(model_set, plan)),
        lambda: _build_on_sample(warehouse, builds, tenant, plan, model_set),
    )
    verdicts = []
    for gate in gates:
        verdict = gate()
        verdicts.append(verdict)
        with warehouse.control.begin() as store:
            detail = {"problems": list(verdict.problems), **verdict.summary}
            record_verdict(store, row.plan_id, verdict.gate, verdict.passed, detail)
        if not verdict.passed:
            break
    return verdicts


def require_passed(verdicts: list[Verdict]) -> None:
    """A PermanentError with the first problems of a gate that refused the plan."""
    for verdict in verdicts:
        if not verdict.passed:
            raise PermanentError(
                f"The plan did not pass the gate '{verdict.gate}': {'; '.join(verdict.problems[:SHOWN])}",
                problems=len(verdict.problems),
            )


def failed_nodes(outcome: BuildOutcome) -> str:
    """The failures of a dbt run in one sentence."""
    problems = _problems(outcome)
    more = f" and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    return "; ".join(problems[:SHOWN]) + more


def _judge(gate: str, findings: tuple[Finding, ...]) -> Verdict:
    return Verdict(gate, tuple(f"{each.place}: {each.sentence}" for each in findings))


def _build_on_sample(
    warehouse: Warehouse, builds: ModelBuilds, tenant: str, plan: ModelPlan, model_set: ModelSet
) -> Verdict:
    names = TenantNames(TenantId(tenant))
    open_scratch(warehouse.control, tenant)
    try:
        built = builds.build(tenant, model_set, names.sample, names.scratch)
        if not built.outcome.ok:
            return Verdict(BUILDS, _problems(built.outcome))
        staged = require_conserved_staging(warehouse.builder(tenant), names.sample, plan, built.staging_rows)
    except PermanentError as error:
        return Verdict(BUILDS, (str(error),))
    finally:
        drop_scratch(warehouse.control, tenant)
    return Verdict(
        BUILDS,
        summary={
            "nodes": len(built.outcome.results),
            "staged_rows": sum(built.staging_rows.values()),
            "streams": len(staged),
            "seconds": round(built.outcome.seconds, 2),
        },
    )


def _problems(outcome: BuildOutcome) -> tuple[str, ...]:
    failures = tuple(f"{node.name}: {' '.join(node.message.split())[:300]}" for node in outcome.failed)
    return failures or (outcome.error or "dbt did not finish.",)
