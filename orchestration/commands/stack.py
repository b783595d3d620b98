"""Commands for the stack: `up`, `down`, `status`, `doctor`, `prune`."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.commands.context import warehouse
from orchestration.commands.output import AsJson, console, program, progress, show_json, show_rows, working
from orchestration.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (up, down, status, doctor, prune):
        app.command()(command)


def up(ui: Annotated[bool, typer.Option(help="Start the Dagster UI and its daemon too.")] = True) -> None:
    """Start the stack in the background and return when it is healthy; upgrades an existing home."""
    from orchestration.stack import lifecycle

    endpoints = lifecycle.up(load_settings(), with_ui=ui, report=_report)
    console.print("The stack is up.")
    if endpoints.dagster_ui_url:
        console.print(f"Dagster UI: {endpoints.dagster_ui_url}")
    sluice = program()
    console.print(
        f"Next: {sluice} tenant add ID --source NAME=TYPE:key=value, then {sluice} onboard ID", highlight=False
    )


def down() -> None:
    """Stop the stack; data stays."""
    from orchestration.stack import lifecycle

    lifecycle.down(load_settings(), report=_report)
    console.print("The stack is down.")


def status(as_json: AsJson = False) -> None:
    """What runs and where, how many tenants there are, and whose release is stale and why."""
    from orchestration.stack import lifecycle

    rows = [
        {"component": state.component, "state": state.state, "where": state.where}
        for state in lifecycle.status(load_settings())
    ]
    counts, stale = _tenants() if any(row["state"] == "running" for row in rows) else ({}, [])
    if as_json:
        show_json({"components": rows, "tenants": counts, "stale": stale})
        return
    show_rows(rows, False)
    if counts:
        shown = ", ".join(f"{count} {state}" for state, count in counts.items())
        console.print(f"Tenants: {shown}; {len(stale)} with a stale release", highlight=False)
    if stale:
        show_rows(stale, False, title="stale releases")


def _tenants() -> tuple[dict[str, int], list[dict[str, object]]]:
    """Tenants by status, and the stale releases; nothing where the database does not answer."""
    from analysis.errors import SluiceError
    from orchestration.tenancy.registry import count_tenants, stale_releases

    try:
        control = warehouse().control
        counts, published = count_tenants(control), stale_releases(control)
    except SluiceError as error:
        progress.print(str(error), highlight=False, markup=False)
        return {}, []
    rows: list[dict[str, object]] = [
        {"tenant": row.tenant_id, "release": row.number, "published_at": row.published_at, "reason": row.stale_reason}
        for row in published
    ]
    return counts, rows


def doctor(
    as_json: AsJson = False,
    repair: Annotated[bool, typer.Option("--repair", help="Set tenants' roles and grants right first.")] = False,
) -> None:
    """Check versions, reachability, disk, ports, roles and every tenant's grants; exit code 2 if any needs a hand."""
    from orchestration.stack.doctor import examine

    findings = examine(load_settings(), repair=repair)
    rows = [
        {
            "check": finding.check,
            "ok": "ok" if finding.ok else "PROBLEM",
            "finding": finding.sentence,
            "what to do": "" if finding.ok else finding.remedy,
        }
        for finding in findings
    ]
    show_rows(rows, as_json)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(2)


def prune(
    days: Annotated[int, typer.Option(min=1, help="Runs that are older are deleted.")] = 90,
) -> None:
    """Delete old runs from Dagster's history; each job's newest of every tenant stays, and all data."""
    from orchestration.pruning import prune_runs

    with working("looking for old runs"):
        count = prune_runs(load_settings(), days)
    console.print(f"{count} runs of more than {days} days ago are deleted.", highlight=False)


def _report(text: str) -> None:
    progress.print(text, highlight=False, markup=False)
