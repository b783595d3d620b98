"""Commands that run a tenant's steps here and now: `onboard`, `sync`, `build`, `analyse`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated

import typer

from orchestration.commands.context import warehouse
from orchestration.commands.output import AsJson, console, program, progress, show_json
from orchestration.commands.published import show_release
from orchestration.settings import load_settings

TenantArgument = Annotated[str, typer.Argument(help="The tenant's id.", metavar="TENANT")]
SYNC = ("raw/streams",)
ANALYSE = ("insights/daily_report",)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (onboard, sync, build, analyse):
        app.command()(command)


def onboard(tenant: TenantArgument) -> None:
    """Take a tenant all the way: sample, plan, prove, approve, sync, build, publish, report."""
    run(tenant, "onboard_tenant")
    show_release(tenant)


def sync(tenant: TenantArgument) -> None:
    """Sync a tenant's sources into its raw schema."""
    run(tenant, "refresh_tenant", SYNC)
    console.print(f"Tenant {tenant} is synced. Next: {program()} build {tenant}", highlight=False)


def build(tenant: TenantArgument) -> None:
    """Check for drift, build the approved models on what is synced, and publish."""
    from orchestration.assets.marts import mart_specs

    marts = [spec.key.to_user_string() for spec in mart_specs()]
    run(tenant, "refresh_tenant", ["raw/drift", "analytics/models", *marts, "analytics/release"])
    show_release(tenant)


def analyse(tenant: TenantArgument, as_json: AsJson = False) -> None:
    """Write today's report from the published marts and print it."""
    from rich.markdown import Markdown

    from analysis.store.reports import find_report

    run(tenant, "refresh_tenant", ANALYSE)
    with warehouse().control.connect() as store:
        report = find_report(store, tenant)
    if report is None:
        return
    if as_json:
        show_json(report.report)
    else:
        console.print(Markdown(report.markdown))


def run(tenant: str, job: str, assets: Sequence[str] | None = None) -> None:
    """Run a job for a tenant that exists, telling each step as it starts."""
    refuse_resting(tenant, can_follow=assets is None)
    started = time.monotonic()
    if progress.is_terminal:
        with progress.status(f"{tenant}: loading Dagster") as status:
            _execute(tenant, job, assets, lambda step: status.update(f"{tenant}: {step}"))
    else:
        _execute(tenant, job, assets, lambda step: progress.print(f"{tenant}: {step}", highlight=False))
    progress.print(f"{tenant}: done in {time.monotonic() - started:.1f} s", highlight=False)


def refuse_resting(tenant: str, *, can_follow: bool) -> None:
    """Refuse a tenant that is unknown, paused or busy, before Dagster's import; a daemon's run may be followed."""
    from orchestration.stack.orchestrator import running_port
    from orchestration.tenancy.lock import refuse_running
    from orchestration.tenancy.registry import refuse_paused, show_tenant

    control = warehouse().control
    refuse_paused(show_tenant(control, tenant).tenant)
    if not can_follow or running_port(load_settings().home) is None:
        refuse_running(control, tenant)


def _execute(tenant: str, job: str, assets: Sequence[str] | None, report: object) -> None:
    from orchestration.execution import run_job

    assert callable(report)
    run_job(load_settings(), job, tenant, report, assets)
