"""What runs by itself: the jobs, the daily schedule and the sensors on Airbyte."""

from __future__ import annotations

from datetime import datetime, timedelta

import dagster as dg

from orchestration.partitions import tenants
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.appearance import appeared_sources, appeared_tenants
from orchestration.tenancy.finished import finished_syncs
from orchestration.tenancy.sample_leftovers import sweep_leftovers
from orchestration.tenancy.walls.limits import end_overlong, limits_of

MODELLING = dg.AssetSelection.groups("sample", "analysis")
REFRESH = dg.AssetSelection.groups("raw", "analytics", "insights")
ONE_PROCESS = dg.in_process_executor
"""A tenant's steps share one process and one lock: the sample lives as long as both."""

onboard_tenant = dg.define_asset_job(
    "onboard_tenant",
    selection=MODELLING | REFRESH,
    executor_def=ONE_PROCESS,
    description="Sample, profile, map, plan, prove, review; then sync, build, publish and report.",
)
model_tenant = dg.define_asset_job(
    "model_tenant",
    selection=MODELLING,
    executor_def=ONE_PROCESS,
    description="Sample to review alone: for a source that joins an onboarded tenant.",
)
refresh_tenant = dg.define_asset_job(
    "refresh_tenant",
    selection=REFRESH,
    executor_def=ONE_PROCESS,
    description="Sync, check for drift, build, publish and report with the approved plan.",
)
build_tenant = dg.define_asset_job(
    "build_tenant",
    selection=REFRESH - dg.AssetSelection.assets(["raw", "streams"]),
    executor_def=ONE_PROCESS,
    description="Check for drift, build, publish and report: what Airbyte synced by a schedule of its own.",
)
JOBS = [onboard_tenant, model_tenant, refresh_tenant, build_tenant]


@dg.schedule(
    job=refresh_tenant,
    cron_schedule="0 4 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def refresh_tenants_daily(
    context: dg.ScheduleEvaluationContext, warehouse: dg.ResourceParam[Warehouse]
) -> list[dg.RunRequest]:
    """One refresh per active, onboarded tenant and day."""
    day = context.scheduled_execution_time.date().isoformat()
    return [
        dg.RunRequest(run_key=f"{tenant}:{day}", partition_key=tenant) for tenant in warehouse.refreshable_tenants()
    ]


@dg.sensor(job=onboard_tenant, minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def tenant_appeared(
    context: dg.SensorEvaluationContext,
    warehouse: dg.ResourceParam[Warehouse],
    airbyte: dg.ResourceParam[AirbyteClient],
) -> dg.SensorResult:
    """A workspace of Airbyte that names a tenant not yet onboarded becomes a partition and a run."""
    found = appeared_tenants(warehouse, airbyte)
    for refusal in found.refused:
        context.log.warning(refusal)
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=f"onboard:{each.key}", partition_key=each.tenant) for each in found.new],
        dynamic_partitions_requests=[tenants.build_add_request([each.tenant for each in found.new])],
    )


@dg.sensor(job=model_tenant, minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def source_appeared(
    context: dg.SensorEvaluationContext,
    warehouse: dg.ResourceParam[Warehouse],
    airbyte: dg.ResourceParam[AirbyteClient],
) -> list[dg.RunRequest]:
    """A connection that an onboarded tenant did not have is sampled, planned, proven and reviewed."""
    found = appeared_sources(warehouse, airbyte)
    for refusal in found.refused:
        context.log.warning(refusal)
    return [dg.RunRequest(run_key=f"model:{each.key}", partition_key=each.tenant) for each in found.new]


@dg.sensor(job=build_tenant, minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def sync_finished(
    context: dg.SensorEvaluationContext,
    warehouse: dg.ResourceParam[Warehouse],
    airbyte: dg.ResourceParam[AirbyteClient],
) -> dg.SensorResult:
    """A sync that no run waited for enters the history; where it brought data, the tenant is built and published."""
    found = finished_syncs(warehouse, airbyte, datetime.fromisoformat(context.cursor) if context.cursor else None)
    for refusal in found.refused:
        context.log.warning(refusal)
    requests = [dg.RunRequest(run_key=f"synced:{each.key}", partition_key=each.tenant) for each in found.new]
    return dg.SensorResult(run_requests=requests, cursor=found.since.isoformat())


@dg.sensor(minimum_interval_seconds=10, default_status=dg.DefaultSensorStatus.RUNNING)
def statement_overran(context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.SkipReason:
    """A tenant's statement or idle transaction that is over its time is ended; this starts no run."""
    ended = end_overlong(warehouse.control, limits_of(warehouse.settings))
    for each in ended:
        context.log.warning(str(each))
    return dg.SkipReason("; ".join(map(str, ended)) or "No tenant's statement is over its time.")


@dg.sensor(minimum_interval_seconds=3600, default_status=dg.DefaultSensorStatus.RUNNING)
def sample_outlived_run(
    context: dg.SensorEvaluationContext,
    warehouse: dg.ResourceParam[Warehouse],
    airbyte: dg.ResourceParam[AirbyteClient],
) -> dg.SkipReason:
    """What a killed run left of a sample is removed, also of a tenant that runs no more; this starts no run."""
    limit = timedelta(seconds=warehouse.settings.sample_seconds)
    for tenant, gone in sweep_leftovers(warehouse.control, airbyte, older_than=limit).items():
        context.log.warning(f"Tenant {tenant}: removed {', '.join(gone)}.")
    return dg.SkipReason("No sample is left that outlived its run.")


SCHEDULES = [refresh_tenants_daily]
SENSORS = [tenant_appeared, source_appeared, sync_finished, statement_overran, sample_outlived_run]
