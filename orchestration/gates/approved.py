"""A tenant's approved plan and its model set, as the store holds them."""

from __future__ import annotations

import orjson
from sqlalchemy import Connection

from analysis.errors import PermanentError
from analysis.modelling import ModelPlan, ModelSet, load_plan
from analysis.store.plans import PlanRow, find_model_set, latest_plan


def approved_row(store: Connection, tenant: str) -> PlanRow:
    """The tenant's newest approved plan row; a PermanentError when none was ever approved."""
    row = latest_plan(store, tenant, "approved")
    if row is None:
        raise PermanentError(f"Tenant {tenant} has no approved plan; run `sluice onboard {tenant}`.")
    return row


def approved_plan(store: Connection, tenant: str) -> ModelPlan:
    """The tenant's newest approved plan."""
    return load_plan(orjson.dumps(approved_row(store, tenant).plan))


def proposed_row(store: Connection, tenant: str) -> PlanRow:
    """The tenant's plan that waits for proof and review."""
    row = latest_plan(store, tenant, "proposed")
    if row is None:
        raise PermanentError(f"Tenant {tenant} has no proposed plan; run `sluice onboard {tenant}`.")
    return row


def stored_set(store: Connection, row: PlanRow) -> ModelSet:
    """The model set that a plan was rendered to."""
    found = find_model_set(store, row.model_set)
    if found is None:
        raise PermanentError("The plan's model set is not stored; onboard the tenant again.", model_set=row.model_set)
    return ModelSet(name=found.name, files=found.files)
