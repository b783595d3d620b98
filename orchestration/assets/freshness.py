"""Whether what readers see comes from the last build: kept with the release, told as a check of it."""

from __future__ import annotations

import dagster as dg
from sqlalchemy import Connection

from analysis.store.releases import ReleaseRow, list_releases, mark_stale
from orchestration.assets.checks import tenant_check

RELEASE = dg.AssetKey(["analytics", "release"])
FRESH = "fresh"


FRESH_SPEC = tenant_check(
    FRESH,
    RELEASE,
    "What readers see comes from the last build; where it does not, the first line says why."
    " See `sluice releases <id>`.",
)


def fresh_result(releases: tuple[ReleaseRow, ...]) -> dg.AssetCheckResult:
    """Whether the published one of a tenant's releases is of its last build and not stale."""
    published = next((row for row in releases if row.status == "published"), None)
    newest = max((row.number for row in releases), default=None)
    if published is None:
        problem: str | None = "Nothing is published yet."
    elif published.is_stale:
        problem = published.stale_reason
    elif published.number != newest:
        problem = f"Release {published.number} is published, and build {newest} is not."
    else:
        problem = None
    return dg.AssetCheckResult(
        passed=problem is None,
        asset_key=RELEASE,
        check_name=FRESH,
        description=problem,
        metadata={"release": published.number if published else 0},
    )


def tell_stale(context: dg.AssetExecutionContext, store: Connection, tenant: str, reason: str, to_do: str) -> None:
    """A step that a release needs failed: mark the published one stale and say so in this run's check of it."""
    published = mark_stale(store, tenant, reason)
    evaluation = dg.AssetCheckEvaluation(
        asset_key=RELEASE,
        check_name=FRESH,
        passed=False,
        description=reason if published else f"Nothing is published yet. {reason}",
        metadata={"release": published or 0, "to_do": dg.MetadataValue.md(to_do)},
        partition=tenant,
    )
    context.log_event(evaluation)


def read_fresh(store: Connection, tenant: str) -> dg.AssetCheckResult:
    """The check's result from what is stored now."""
    return fresh_result(list_releases(store, tenant))
