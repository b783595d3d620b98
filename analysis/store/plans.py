"""Model sets, the plans they were rendered from, the gates' verdicts and the reviews."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from analysis.store.audit import append
from analysis.store.connect import Record, all_records, one_record
from analysis.store.tables import gate_verdicts, model_plans, model_sets, reviews

PlanStatus = Literal["proposed", "approved", "rejected", "superseded"]
ReviewStatus = Literal["pending", "approved", "rejected", "withdrawn"]


class ModelSetRow(Record):
    """A rendered set: its files by path."""

    name: str
    renderer_version: str
    files: Mapping[str, str]
    created_at: datetime


class PlanRow(Record):
    """A tenant's plan and the set it renders to."""

    plan_id: int
    tenant_id: str
    model_set: str
    plan: Mapping[str, Any]
    status: PlanStatus
    created_at: datetime


class VerdictRow(Record):
    """What one gate said of a plan."""

    verdict_id: int
    plan_id: int
    gate: str
    passed: bool
    detail: Mapping[str, Any]
    judged_at: datetime


class ReviewRow(Record):
    """A decision on a plan, pending until a policy or a person made it."""

    review_id: int
    plan_id: int
    status: ReviewStatus
    reason: str | None
    decided_by: str | None
    created_at: datetime
    decided_at: datetime | None


def save_model_set(connection: Connection, name: str, renderer_version: str, files: Mapping[str, str]) -> None:
    """Keep a set; its name is its content's, so one that is there already is the same."""
    statement = upsert(model_sets).values(name=name, renderer_version=renderer_version, files=dict(files))
    # Not `do nothing`: a set that an erasure is about to delete must be there again, and locked until the plan is.
    connection.execute(statement.on_conflict_do_update(index_elements=[model_sets.c.name], set_={"name": name}))


def find_model_set(connection: Connection, name: str) -> ModelSetRow | None:
    """The set of this name, or None."""
    return one_record(
        ModelSetRow, connection.execute(select(model_sets).where(model_sets.c.name == name)).one_or_none()
    )


def save_plan(connection: Connection, tenant_id: str, model_set: str, plan: Mapping[str, Any]) -> PlanRow:
    """Keep a plan as proposed; older proposals of the tenant are superseded, their reviews withdrawn."""
    older = select(model_plans.c.plan_id).where(
        model_plans.c.tenant_id == tenant_id, model_plans.c.status == "proposed"
    )
    pending = update(reviews).where(reviews.c.plan_id.in_(older), reviews.c.status == "pending")
    connection.execute(pending.values(status="withdrawn", decided_at=func.now()))
    superseded = update(model_plans).where(model_plans.c.plan_id.in_(older))
    connection.execute(superseded.values(status="superseded"))
    statement = insert(model_plans).values(tenant_id=tenant_id, model_set=model_set, plan=dict(plan))
    return PlanRow.model_validate(dict(connection.execute(statement.returning(model_plans)).one()._mapping))


def latest_plan(connection: Connection, tenant_id: str, status: PlanStatus) -> PlanRow | None:
    """The tenant's newest plan of a status, or None."""
    statement = select(model_plans).where(model_plans.c.tenant_id == tenant_id, model_plans.c.status == status)
    newest = statement.order_by(model_plans.c.plan_id.desc()).limit(1)
    return one_record(PlanRow, connection.execute(newest).one_or_none())


def record_verdict(connection: Connection, plan_id: int, gate: str, passed: bool, detail: Mapping[str, Any]) -> None:
    """Add a gate's verdict on a plan."""
    values = {"plan_id": plan_id, "gate": gate, "passed": passed, "detail": dict(detail)}
    connection.execute(insert(gate_verdicts).values(values))


def list_verdicts(connection: Connection, plan_id: int) -> tuple[VerdictRow, ...]:
    """Every verdict on a plan, oldest first."""
    statement = select(gate_verdicts).where(gate_verdicts.c.plan_id == plan_id)
    return all_records(VerdictRow, connection.execute(statement.order_by(gate_verdicts.c.verdict_id)))


def open_review(connection: Connection, plan_id: int) -> ReviewRow:
    """The plan's pending review, made if there is none."""
    connection.execute(upsert(reviews).values(plan_id=plan_id).on_conflict_do_nothing())
    statement = select(reviews).where(reviews.c.plan_id == plan_id, reviews.c.status == "pending")
    return ReviewRow.model_validate(dict(connection.execute(statement).one()._mapping))


def decide_review(
    connection: Connection,
    plan_id: int,
    decision: Literal["approved", "rejected"],
    *,
    decided_by: str,
    reason: str | None = None,
) -> bool:
    """Decide the pending review and its plan, an approval superseding older ones; False where none is pending."""
    pending = update(reviews).where(reviews.c.plan_id == plan_id, reviews.c.status == "pending")
    decided = pending.values(status=decision, decided_by=decided_by, reason=reason, decided_at=func.now())
    if connection.execute(decided).rowcount == 0:
        return False
    if decision == "approved":
        tenant = select(model_plans.c.tenant_id).where(model_plans.c.plan_id == plan_id).scalar_subquery()
        older = update(model_plans).where(model_plans.c.tenant_id == tenant, model_plans.c.status == "approved")
        connection.execute(older.values(status="superseded"))
    plan = update(model_plans).where(model_plans.c.plan_id == plan_id).values(status=decision)
    row = connection.execute(plan.returning(model_plans.c.tenant_id, model_plans.c.model_set)).one()
    detail = {"plan": plan_id, "model_set": row.model_set}
    append(connection, tenant=row.tenant_id, action=f"plan.{decision}", actor=decided_by, detail=detail)
    return True
