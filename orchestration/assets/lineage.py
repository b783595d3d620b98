"""The steps of a tenant in reading order: what each is, why, where to look, and what to do when it fails."""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg


@dataclass(frozen=True)
class Step:
    """One asset as people read it; `{tenant}` in the remedy is the tenant that failed."""

    key: dg.AssetKey
    what: str
    why: str
    look: str
    remedy: str

    @property
    def description(self) -> str:
        """The asset's description, as Markdown."""
        return f"{self.what}\n\nWhy: {self.why}\n\nWhere to look: {self.look}"


def _step(key: str, what: str, why: str, look: str, remedy: str) -> Step:
    return Step(dg.AssetKey(key.split("/")), what, why, look, remedy)


STEPS = (
    _step(
        "sample/streams",
        "A bounded sample of every source, in `tenant_<id>_sample`.",
        "what the data means is worked out on a little of it, before anything is built on all of it.",
        "`samples` tells what was cut to the budget; the rows themselves are gone when the run ends.",
        "mend the source, then `sluice onboard {tenant}`.",
    ),
    _step(
        "analysis/profile",
        "Keys, types, references and personal columns of every sampled stream.",
        "mapping, planning and masking stand on what the data is, not on what its documentation says.",
        "`preview` lists each stream with its key; the check `streams_have_keys` names those without.",
        "look at the sample's tables one step before, then `sluice onboard {tenant}`.",
    ),
    _step(
        "analysis/mappings",
        "Which source field feeds which canonical field; what maps nowhere stays the tenant's own.",
        "the marts read canonical entities, so that every tenant's numbers mean the same.",
        "`preview` gives entity, fields and confidence by stream.",
        "look at the profile one step before, then `sluice onboard {tenant}`.",
    ),
    _step(
        "analysis/model_plan",
        "The typed plan of every model and test, and the dbt files that it renders to.",
        "a plan can be checked, proven and compared; nobody writes SQL by hand or lets a model write it.",
        "`preview` lists the staging models, `decisions` why streams are united.",
        "look at the mappings one step before, then `sluice onboard {tenant}`.",
    ),
    _step(
        "analysis/proof",
        "The gates of a plan: static checks, then a dbt build on the sample as the tenant's own role.",
        "a plan that does not hold on a thousand rows never meets the tenant's data.",
        "one check per gate, each with what it found; `dbt_log` for the build.",
        "read the failed check, mend the source or its catalogue, then `sluice onboard {tenant}`.",
    ),
    _step(
        "analysis/review",
        "The decision on a proven plan: approved by policy when every gate passed.",
        "from here on the plan is what all builds use; who decided is in the audit log.",
        "`reason`; `sluice audit export` has the decision with who made it.",
        "read the proof one step before, then `sluice onboard {tenant}`.",
    ),
    _step(
        "raw/streams",
        "Every record of every source, synced by Airbyte into `tenant_<id>`.",
        "models read raw tables that no one but Airbyte writes.",
        "`tables` for sizes, `conservation` for records against rows, `airbyte` for the job's log.",
        "mend the source or wait for it, then `sluice sync {tenant}` and `sluice build {tenant}`.",
    ),
    _step(
        "raw/drift",
        "The raw tables against the approved plan.",
        "what is missing or retyped pauses this tenant before dbt, instead of breaking its numbers.",
        "`changes`; the check `fits_plan` for what breaks, `nothing_new` for columns that no model reads yet.",
        "`sluice tenant resume {tenant}`, then `sluice onboard {tenant}`.",
    ),
    _step(
        "analytics/models",
        "Staging, canonical and the tenant's own models, built by dbt into `tenant_<id>_analytics__build`.",
        "readers see nothing of a build until all of it is green.",
        "`built` for each model, `conservation` for rows in and out, the check `tests`, and `dbt_log`.",
        "readers keep the last release; read dbt's log, mend the data, then `sluice build {tenant}`.",
    ),
    _step(
        "analytics/release",
        "The swap: the build becomes what readers see, in one transaction.",
        "readers never meet half a build, and two earlier releases stay to go back to.",
        "`relations` for what is published, the check `fresh`, `sluice releases <id>`, `sluice rollback <id>`.",
        "readers keep the last release; then `sluice build {tenant}`.",
    ),
    _step(
        "insights/daily_report",
        "The day's report: scores, insights and recommendations from the published marts.",
        "every number in it cites a fact, and every fact its SQL.",
        "`report` for all of it, `timings` for what this run's steps took, `sluice analyse <id>` on a terminal.",
        "what is published stays; then `sluice analyse {tenant}`.",
    ),
)
BY_NAME = {step.key.to_user_string(): step for step in STEPS}


def describe(key: str) -> str:
    """The description of a step's asset."""
    return BY_NAME[key].description


def neighbours(key: dg.AssetKey) -> tuple[dg.AssetKey | None, dg.AssetKey | None]:
    """The steps before and after one; a mart stands between the models and the release."""
    keys = [step.key for step in STEPS]
    if key not in keys:
        models = keys.index(dg.AssetKey(["analytics", "models"]))
        return keys[models], keys[models + 1]
    place = keys.index(key)
    return keys[place - 1] if place else None, keys[place + 1] if place + 1 < len(keys) else None


def first_line(step: str, tenant: str, sentence: str) -> str:
    """Why a step failed and what to do about it, in one line; a step that nobody described has no remedy."""
    told, to_do = " ".join(sentence.split()), remedy(step, tenant)
    return f"{told} To do: {to_do}" if to_do else told


def remedy(step: str, tenant: str) -> str:
    """What to do when a step failed; nothing is known of a step that nobody described."""
    known = BY_NAME.get(step)
    return known.remedy.format(tenant=tenant) if known else ""
