"""How a tenant's runs are called and found in Dagster: whose they are, what they do, why they failed."""

from __future__ import annotations

from collections.abc import Collection

TENANT = "sluice/tenant"
NAME = "sluice/run"
FAILURE = "sluice/failure"
WAYS = {
    "onboard": {"sample/streams", "insights/daily_report"},
    "model": {"sample/streams", "analysis/review"},
    "refresh": {"raw/streams", "insights/daily_report"},
    "build": {"raw/drift", "analytics/release"},
}
"""What a run does, by the first and the last of its steps; the longest way counts."""
COMMANDS = {frozenset({"raw/streams"}): "sync", frozenset({"insights/daily_report"}): "analyse"}


def run_tags(job: str, steps: Collection[str] | None, tenant: str) -> dict[str, str]:
    """The tenant and the name of a run of a whole job, or of some of its steps."""
    return {TENANT: tenant, NAME: f"{_verb(job, steps)} {tenant}"}


def _verb(job: str, steps: Collection[str] | None) -> str:
    if steps is None:
        return job.removesuffix("_tenant")
    whole = next((verb for verb, ends in WAYS.items() if ends <= set(steps)), None)
    named = whole or COMMANDS.get(frozenset(steps))
    return named or (next(iter(steps)) if len(steps) == 1 else f"{len(steps)} steps of")
