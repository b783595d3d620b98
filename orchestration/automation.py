"""What runs by itself: the daily schedule and the sensors on Airbyte."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from orchestration.jobs import build_tenant, model_tenant, onboard_tenant, refresh_tenant
from orchestration.partitions import tenants
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.warehouse import Warehouse
from orchestration.tenancy.appearance import Appeared, appeared_sources, appeared_tenants
from orchestration.tenancy.finished import finished_syncs
from orchestration.tenancy.sample_leftovers import sweep_leftovers
from orchestration.tenancy.walls.limits import end_overlong, limits_of

RUNNING = dg.DefaultSensorStatus.RUNNING


@dg.schedule(
    job=refresh_tenant,
    cron_schedule="0 4 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night one refresh per active, onboarded tenant: its sync, build, release and report."
    " A paused tenant rests until sluice tenant resume; see Runs, one per tenant and day.",
)
def refresh_tenants_daily(
    context: dg.ScheduleEvaluationContext, warehouse: dg.ResourceParam[Warehouse]
) -> list[dg.RunRequest]:
    """One refresh per active, onboarded tenant and day."""
    day = context.scheduled_execution_time.date().isoformat()
    return [
        dg.RunRequest(run_key=f"{tenant}:{day}", partition_key=tenant) for tenant in warehouse.refreshable_tenants()
    ]


@dg.sensor(
    job=onboard_tenant,
    minimum_interval_seconds=30,
    default_status=RUNNING,
    description="A workspace of Airbyte that names a tenant not yet onboarded becomes a partition and a run, so that"
    " Terraform or sluice tenant add is all it takes. A refused name is in the tick's reason.",
)
def tenant_appeared(
    context: dg.SensorEvaluationContext,
    warehouse: dg.ResourceParam[Warehouse],
    airbyte: dg.ResourceParam[AirbyteClient],
) -> dg.SensorResult:
    """A workspace of Airbyte that names a tenant not yet onboarded becomes a partition and a run."""
    found = appeared_tenants(warehouse, airbyte)
    added = tenants.build_add_request([each.tenant for each in found.new])
    nothing = "Every tenant of Airbyte is known."
    return answer(context, "onboard", found.new, found.refused, nothing, dynamic_partitions_requests=[added])


@dg.sensor(
    job=model_tenant,
    minimum_interval_seconds=30,
    default_status=RUNNING,
    description="A connection that an onboarded tenant did not have is sampled, planned, proven and reviewed, and is"
    " in the release after the next build. What could not be taken up is in the tick's reason.",
)
def source_appeared(
    context: dg.SensorEvaluationContext,
    warehouse: dg.ResourceParam[Warehouse],
    airbyte: dg.ResourceParam[AirbyteClient],
) -> dg.SensorResult:
    """A connection that an onboarded tenant did not have is sampled, planned, proven and reviewed."""
    found = appeared_sources(warehouse, airbyte)
    return answer(context, "model", found.new, found.refused, "No onboarded tenant has a new connection.")


@dg.sensor(
    job=build_tenant,
    minimum_interval_seconds=30,
    default_status=RUNNING,
    description="A sync that no run waited for enters the history; where it brought data, the tenant is built and"
    " published, so that Airbyte's own schedules work too. See analytics.airbyte_sync_history.",
)
def sync_finished(
    context: dg.SensorEvaluationContext,
    warehouse: dg.ResourceParam[Warehouse],
    airbyte: dg.ResourceParam[AirbyteClient],
) -> dg.SensorResult:
    """A sync that no run waited for enters the history; where it brought data, the tenant is built and published."""
    found = finished_syncs(warehouse, airbyte, datetime.fromisoformat(context.cursor) if context.cursor else None)
    nothing = "No sync ended that a run did not wait for."
    return answer(context, "synced", found.new, found.refused, nothing, cursor=found.since.isoformat())


@dg.sensor(
    minimum_interval_seconds=10,
    default_status=RUNNING,
    description="A tenant's statement or idle transaction that is over its time is ended, so that no tenant holds up"
    " the others; this starts no run. What it ended is in the tick's reason.",
)
def statement_overran(context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.SkipReason:
    """A tenant's statement or idle transaction that is over its time is ended; this starts no run."""
    ended = end_overlong(warehouse.control, limits_of(warehouse.settings))
    for each in ended:
        context.log.warning(str(each))
    return dg.SkipReason("; ".join(map(str, ended)) or "No tenant's statement is over its time.")


@dg.sensor(
    minimum_interval_seconds=3600,
    default_status=RUNNING,
    description="What a killed run left of a sample is removed, also of a tenant that runs no more: samples hold"
    " customers' rows and live for minutes. This starts no run; what it removed is in the tick's reason.",
)
def sample_outlived_run(
    context: dg.SensorEvaluationContext,
    warehouse: dg.ResourceParam[Warehouse],
    airbyte: dg.ResourceParam[AirbyteClient],
) -> dg.SkipReason:
    """What a killed run left of a sample is removed, also of a tenant that runs no more; this starts no run."""
    limit = timedelta(seconds=warehouse.settings.sample_seconds)
    swept = sweep_leftovers(warehouse.control, airbyte, older_than=limit)
    removed = [f"Tenant {tenant}: removed {', '.join(gone)}." for tenant, gone in swept.items()]
    for each in removed:
        context.log.warning(each)
    return dg.SkipReason(" ".join(removed) or "No sample is left that outlived its run.")


def answer(
    context: dg.SensorEvaluationContext,
    event: str,
    new: Sequence[Appeared],
    refused: Sequence[str],
    nothing: str,
    **rest: Any,
) -> dg.SensorResult:
    """A run for each tenant that an event is about; a tick without one says what was refused, or that nothing was."""
    for refusal in refused:
        context.log.warning(refusal)
    if not new:
        return dg.SensorResult(run_requests=[], skip_reason=dg.SkipReason(" ".join(refused) or nothing), **rest)
    requests = [dg.RunRequest(run_key=f"{event}:{each.key}", partition_key=each.tenant) for each in new]
    return dg.SensorResult(run_requests=requests, **rest)


SCHEDULES = [refresh_tenants_daily]
SENSORS = [tenant_appeared, source_appeared, sync_finished, statement_overran, sample_outlived_run]
