"""`sluice demo`: two tenants on generated data, from nothing to their daily reports."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from orchestration.commands.context import airbyte, warehouse
from orchestration.commands.output import console, fitting_columns, program, progress, show_rows, working
from orchestration.commands.runs import run, show_release
from orchestration.settings import load_settings

TENANTS = {"acme": ("stripe", "github"), "globex": ("shopify",)}
SEED, CUSTOMERS, DAYS = 7, 150, 90
PREVIEW_ROWS = 3


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(demo)


def demo(keep: Annotated[bool, typer.Option(help="Leave the stack running, with the Dagster UI.")] = False) -> None:
    """Start the stack, onboard two tenants on generated data, and show what was built."""
    from orchestration.stack import lifecycle

    settings = load_settings()
    was_up = any(state.state == "running" for state in lifecycle.status(settings))
    timings: list[dict[str, object]] = []
    endpoints = None
    try:
        with _timed(timings, "start the stack"):
            endpoints = lifecycle.up(settings, with_ui=keep, report=lambda line: progress.print(line, highlight=False))
        data = settings.home / "demo"
        with _timed(timings, "generate the tenants' data"), working("generating data"):
            generate(data)
        for tenant, tools in TENANTS.items():
            with _timed(timings, f"onboard {tenant}"):
                _onboard(tenant, tools, data)
        for tenant in TENANTS:
            show_tenant(tenant)
        show_rows(timings, False, title="timings")
        _say_next(settings.home, endpoints.dagster_ui_url)
    finally:
        if endpoints is not None and not keep and not was_up:
            lifecycle.down(settings, report=lambda line: progress.print(line, highlight=False))


def generate(data: Path) -> None:
    """Write the demo's streams up to yesterday; the sandbox is another program, reached by its command line."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    command = [sys.executable, "-m", "airbyte_sandbox", "--out", str(data), "--seed", str(SEED)]
    command += ["--customers", str(CUSTOMERS), "--days", str(DAYS), "--end", yesterday.isoformat()]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _onboard(tenant: str, tools: tuple[str, ...], data: Path) -> None:
    from orchestration.tenancy.enrolment import enrol_tenant
    from orchestration.tenancy.sources import parse_source

    specs = [parse_source(f"{tool}=file:path={data / tool},catalog={data / f'{tool}.catalog.json'}") for tool in tools]
    with working(f"{tenant}: adding the tenant"):
        enrol_tenant(warehouse(), airbyte(), tenant, specs, lambda line: progress.print(line, highlight=False))
    run(tenant, "onboard_tenant")


def show_tenant(tenant: str) -> None:
    """Print a tenant's published relations, a few lines of each mart that has any, and its report."""
    from rich.markdown import Markdown

    from analysis.store.reports import find_report
    from orchestration.assets.marts import mart_specs
    from orchestration.resources.raw_data import preview

    show_release(tenant)
    for spec in mart_specs():
        mart = spec.key.path[-1]
        rows = preview(warehouse().reader(tenant), f"tenant_{tenant}_analytics", mart, PREVIEW_ROWS)
        if rows:
            names = fitting_columns(rows)
            more = f" (and {len(rows[0]) - len(names)} more columns)" if len(names) < len(rows[0]) else ""
            shown = [{name: row[name] for name in names} for row in rows]
            show_rows(shown, False, title=f"tenant_{tenant}_analytics.{mart}{more}")
    with warehouse().control.connect() as store:
        report = find_report(store, tenant)
    if report is not None:
        console.print(Markdown(report.markdown))


def _say_next(home: Path, ui_url: str | None) -> None:
    sluice = program()
    if ui_url:
        console.print(f"The stack is running. Dagster UI: {ui_url}", highlight=False)
        console.print(f"Next: {sluice} tenant list; {sluice} tenant connect acme; {sluice} down", highlight=False)
    else:
        console.print(f"The data stays in {home}. Look around with: make up", highlight=False)
        console.print(f"Then: {sluice} tenant connect acme", highlight=False)


@contextmanager
def _timed(timings: list[dict[str, object]], step: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    timings.append({"step": step, "seconds": round(time.monotonic() - started, 1)})
