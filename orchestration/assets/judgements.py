"""What the checks look at and say; a warning stops nothing, an error is a gate that refused."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from orchestration.assets.checks import WARN, judged, tenant_check
from orchestration.assets.tables import named

DAYS_BEHIND = 2
"""Data older than this is worth a look: the report recommends the same."""


def _check(asset: str, name: str, description: str) -> dg.AssetCheckSpec:
    return tenant_check(name, dg.AssetKey(asset.split("/")), description)


NOT_EMPTY = _check(
    "sample/streams",
    "streams_have_records",
    "Every stream gave at least one record; of an empty one only the declared columns are known. See `samples`.",
)
KEYED = _check(
    "analysis/profile",
    "streams_have_keys",
    "Every stream has a key, declared or found; without one, records that come twice cannot be told. See `preview`.",
)
MAPPED = _check(
    "analysis/mappings",
    "streams_feed_marts",
    "At least one stream feeds a canonical entity; without, the marts stay empty. See `preview`.",
)
FITS_SAMPLE = _check(
    "analysis/proof",
    "plan_fits_the_sample",
    "Gate: each column, key and type that the plan names is in the sample. What does not fit is listed.",
)
SAFE = _check(
    "analysis/proof",
    "models_are_safe",
    "Gate: the rendered SQL reads nothing but the tenant's sources, whatever their names are. What it found is listed.",
)
BUILDS = _check(
    "analysis/proof",
    "builds_on_the_sample",
    "Gate: dbt builds and tests the models on the sample, and no row is lost or doubled. See dbt's log.",
)
APPROVED = _check(
    "analysis/review",
    "approved",
    "Gate: somebody who may approve did, after every gate had passed. See `reason`.",
)
LOADED = _check(
    "raw/streams",
    "records_conserved",
    "Every record that a source gave is a raw row or a counted duplicate; otherwise nothing is built on it."
    " See `conservation`.",
)
FITS_PLAN = _check(
    "raw/drift",
    "fits_plan",
    "Gate: no column that the plan reads is missing or of another type; otherwise the tenant is paused. See `changes`.",
)
NOTHING_NEW = _check(
    "raw/drift",
    "nothing_new",
    "No column came on top of those that the plan reads; a new one harms nothing and is in no model. See `changes`.",
)
STAGED = _check(
    "analytics/models",
    "rows_conserved",
    "Every raw row is a staged row or a counted duplicate; otherwise the last release stays. See `conservation`.",
)
CITED = _check(
    "insights/daily_report",
    "numbers_are_facts",
    "Every number in the report is a fact's, and every fact has its SQL; a report that says more is refused.",
)
CURRENT = _check(
    "insights/daily_report",
    "data_is_current",
    f"The newest data is at most {DAYS_BEHIND} days old; older data usually means a sync that stopped. See `facts`.",
)


def judge_emptiness(empty: Sequence[str], streams: int) -> dg.AssetCheckResult:
    """A warning that names the streams without a record."""
    problem = (
        f"{len(empty)} of {streams} streams are empty: {named(empty)}. To do: nothing if that is so at the source;"
        " else look at what its credentials may read."
    )
    passed = f"All {streams} streams have records."
    return judged(NOT_EMPTY, problem if empty else None, passed, severity=WARN, metadata={"empty": len(empty)})


def judge_keys(bare: Sequence[str], streams: int) -> dg.AssetCheckResult:
    """A warning that names the streams without a key."""
    problem = (
        f"No key in {named(bare)}: a record that comes twice is two rows."
        " To do: declare its primary key in the source's catalogue, if it has one."
    )
    return judged(
        KEYED,
        problem if bare else None,
        f"All {streams} streams have a key.",
        severity=WARN,
        metadata={"bare": len(bare)},
    )


def judge_mappings(streams: int, entities: Sequence[str]) -> dg.AssetCheckResult:
    """A warning where nothing feeds the marts."""
    problem = (
        f"None of {streams} streams maps to a canonical entity: the marts stay empty, the tenant's own models are"
        " built. To do: nothing, or name streams and fields as their connector's documentation does."
    )
    passed = f"Of {streams} streams, some feed {', '.join(entities)}."
    return judged(MAPPED, None if entities else problem, passed, severity=WARN, metadata={"entities": len(entities)})


def judge_additions(added: Sequence[str], tenant: str) -> dg.AssetCheckResult:
    """A warning that names the columns which no model reads yet."""
    problem = f"New and in no model yet: {named(added)}. To do: `sluice onboard {tenant}` plans them in."
    return judged(
        NOTHING_NEW, problem if added else None, "No new columns.", severity=WARN, metadata={"new": len(added)}
    )


def judge_currency(days_behind: float | None) -> dg.AssetCheckResult:
    """A warning where the newest data is old, or there is none."""
    if days_behind is None:
        problem: str | None = "The published marts hold no data until today. To do: look at the last sync."
    elif days_behind > DAYS_BEHIND:
        problem = f"The newest data is {days_behind:g} days old. To do: look whether the sources are synced and busy."
    else:
        problem = None
    return judged(
        CURRENT,
        problem,
        f"The newest data is {days_behind or 0:g} days old.",
        severity=WARN,
        metadata={"days_behind": days_behind or 0.0},
    )
