"""The jobs of a tenant; each is one run in one process."""

from __future__ import annotations

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from orchestration.partitions import tenants
from orchestration.run_tags import run_tags

MODELLING = dg.AssetSelection.groups("sample", "analysis")
REFRESH = dg.AssetSelection.groups("raw", "analytics", "insights")
ONE_PROCESS = dg.in_process_executor
"""A tenant's steps share one process and one lock: the sample lives as long as both."""


def tenant_job(name: str, selection: dg.AssetSelection, description: str) -> UnresolvedAssetJobDefinition:
    """A job for one tenant, whose runs carry its id and a name from the moment they are queued."""
    config = dg.PartitionedConfig(
        partitions_def=tenants,
        run_config_for_partition_key_fn=lambda _: {},
        tags_for_partition_key_fn=lambda tenant: run_tags(name, None, tenant),
    )
    return dg.define_asset_job(
        name, selection=selection, config=config, executor_def=ONE_PROCESS, description=description
    )


onboard_tenant = tenant_job(
    "onboard_tenant",
    MODELLING | REFRESH,
    "All steps of a tenant: sample, profile, map, plan, prove, review; then sync, build, publish and report."
    " For a tenant that is new or whose sources changed. See `insights/daily_report` for what came of it.",
)
model_tenant = tenant_job(
    "model_tenant",
    MODELLING,
    "Sample to review alone: a source that joined an onboarded tenant is planned, proven and approved."
    " What is published stays; the next build takes the source in. See the checks of `analysis/proof`.",
)
refresh_tenant = tenant_job(
    "refresh_tenant",
    REFRESH,
    "A tenant's every day: sync, check for drift, build, publish and report with the approved plan."
    " See `raw/streams` for what came and `analytics/release` for what is published.",
)
build_tenant = tenant_job(
    "build_tenant",
    REFRESH - dg.AssetSelection.assets(["raw", "streams"]),
    "Check for drift, build, publish and report, without a sync: what Airbyte brought by a schedule of its own."
    " See `analytics/release`.",
)
JOBS = [onboard_tenant, model_tenant, refresh_tenant, build_tenant]
