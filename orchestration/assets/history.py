"""History as a check of the release: what cannot be written is told, and the release stays published."""

from __future__ import annotations

import dagster as dg
from sqlalchemy import Engine

from analysis.errors import SluiceError
from analysis.store.runs import record_error, resolve_incidents
from orchestration.assets.checks import tenant_check
from orchestration.assets.freshness import RELEASE
from orchestration.tenancy.history.writing import write_history

HISTORY = "history"
HISTORY_SPEC = tenant_check(
    HISTORY,
    RELEASE,
    "What must survive releases was written from this one; a failure leaves the release published."
    " The rows are in `tenant_<id>_history`.",
)


def keep_history(control: Engine, tenant: str) -> tuple[dict[str, int], dg.AssetCheckResult]:
    """Write the tenant's history: rows by table, and the check that says whether all was written."""
    try:
        written = write_history(control, tenant)
    except SluiceError as error:
        with control.begin() as store:
            record_error(store, tenant, HISTORY, error)
        return {}, _result(passed=False, description=str(error))
    with control.begin() as store:
        resolve_incidents(store, tenant, step=HISTORY)
    return written, _result(passed=True, description=None)


def _result(*, passed: bool, description: str | None) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=passed, asset_key=RELEASE, check_name=HISTORY, description=description)
