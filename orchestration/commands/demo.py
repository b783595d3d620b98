"""`sluice demo`: two tenants on the sandbox, from nothing to their daily reports, and on to the next day."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.commands.context import airbyte, warehouse
from orchestration.commands.output import console, program, progress, show_rows, working
from orchestration.commands.runs import run
from orchestration.settings import load_settings

if TYPE_CHECKING:
    from orchestration.demo.accounts import Accounts

Timings = list[dict[str, object]]


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(demo)


def demo(keep: Annotated[bool, typer.Option(help="Leave the stack running, with the Dagster UI.")] = False) -> None:
    """Start sandbox and stack, onboard two tenants, let a day pass, refresh, and show what was built."""
    from orchestration.demo.accounts import Accounts
    from orchestration.demo.tenants import TENANTS, refuse_foreign
    from orchestration.stack import lifecycle, sandbox

    settings = load_settings()
    was_up = any(state.state == "running" for state in lifecycle.status(settings))
    timings: Timings = []
    is_started = False
    try:
        with _timed(timings, "start the sandbox and the stack"):
            endpoints = lifecycle.up(settings, with_ui=False, with_sandbox=True, report=_report)
            is_started = True
        for tenant in TENANTS:
            refuse_foreign(warehouse(), airbyte(), tenant)
        accounts = Accounts(sandbox.running_url(settings.home) or "")
        for tenant in TENANTS:
            _first_day(tenant, accounts, timings)
        for tenant in TENANTS:
            _next_day(tenant, accounts, timings)
        if keep:
            with _timed(timings, "start the Dagster UI"):
                endpoints = lifecycle.up(settings, report=_report)
        for tenant in TENANTS:
            _show(tenant)
        show_rows(timings, False, title="timings")
        _say_next(settings.home, endpoints.dagster_ui_url, runs_on=keep or was_up)
    finally:
        if is_started and not keep and not was_up:
            lifecycle.down(settings, report=_report)


def _first_day(tenant: str, accounts: Accounts, timings: Timings) -> None:
    """Add the tenant with its sources and onboard it, unless that is done."""
    from orchestration.demo.tenants import is_onboarded, source_specs
    from orchestration.execution import add_partition
    from orchestration.tenancy.enrolment import enrol_tenant

    with _timed(timings, f"{tenant}: add"), working(f"{tenant}: adding the tenant"):
        is_published = tenant in warehouse().refreshable_tenants()
        account = accounts.open(tenant, is_published=is_published)
        specs = source_specs(tenant, account["configurations"])
        enrol_tenant(warehouse(), airbyte(), tenant, specs, _report)
        add_partition(load_settings(), tenant)
    if not is_onboarded(warehouse(), tenant):
        with _timed(timings, f"{tenant}: onboard"):
            run(tenant, "onboard_tenant")
            if not is_onboarded(warehouse(), tenant):  # that was the daemon's run, which began before the last source
                run(tenant, "onboard_tenant")


def _next_day(tenant: str, accounts: Accounts, timings: Timings) -> None:
    """Let the world of the tenant's account go on for a day, then sync, rebuild and report."""
    from orchestration.demo.day import brought, raw_rows

    before = raw_rows(warehouse(), airbyte(), tenant)
    passed = accounts.let_a_day_pass(tenant)
    with _timed(timings, f"{tenant}: a day later" if passed else f"{tenant}: refresh"):
        run(tenant, "refresh_tenant")
    rows = [
        {
            "stream": f"{each.source}.{each.stream}",
            "read": "by cursor" if each.is_incremental else "whole",
            "rows before": each.rows - each.new,
            "records read": each.read,
            "new rows": each.new,
        }
        for each in brought(warehouse(), airbyte(), tenant, before)
    ]
    show_rows(rows, False, title=f"{tenant}: what {'the next day' if passed else 'this sync'} brought")


def _show(tenant: str) -> None:
    from rich.markdown import Markdown

    from analysis.store.reports import find_report
    from orchestration.commands.published import show_marts, show_release

    show_release(tenant)
    show_marts(tenant)
    with warehouse().control.connect() as store:
        report = find_report(store, tenant)
    if report is not None:
        console.print(Markdown(report.markdown))


def _say_next(home: Path, ui_url: str | None, *, runs_on: bool) -> None:
    sluice, customers = program(), "'select * from unified_customers limit 5'"
    lines = [
        ("a tenant's customers", f"{sluice} tenant psql acme -c {customers}"),
        ("its other tables, in psql", f"{sluice} tenant psql globex"),
        ("a report, written anew", f"{sluice} analyse globex"),
        ("what is connected", f"{sluice} tenant show acme"),
        ("what `tenant add --source` took", f"{sluice} sandbox acme"),
        ("stop it all", "make down"),
    ]
    if runs_on and ui_url:
        console.print(f"The stack is running. Dagster UI: {ui_url}", highlight=False, soft_wrap=True)
    elif runs_on:
        lines.insert(0, ("start the Dagster UI, too; it prints the address", "make up"))
        console.print("The stack is running, without the Dagster UI.", highlight=False)
    else:
        lines.insert(0, ("start it all again, with the Dagster UI; it prints the address", "make up"))
        console.print(f"The stack stops now; the data stays in {home}", highlight=False, soft_wrap=True)
    console.print("Next:")
    for why, line in lines:
        console.print(f"  {line}   # {why}", highlight=False, markup=False, soft_wrap=True)


def _report(line: str) -> None:
    progress.print(line, highlight=False, markup=False)


@contextmanager
def _timed(timings: Timings, step: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    timings.append({"step": step, "seconds": round(time.monotonic() - started, 1)})
