"""Commands for the stack: `up`, `down`, `status`, `doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.commands.output import AsJson, console, program, progress, show_rows
from orchestration.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (up, down, status, doctor):
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
    """What runs, and where."""
    from orchestration.stack import lifecycle

    rows = [
        {"component": state.component, "state": state.state, "where": state.where}
        for state in lifecycle.status(load_settings())
    ]
    show_rows(rows, as_json)


def doctor(as_json: AsJson = False) -> None:
    """Check versions, migrations, reachability, disk, ports and roles; exit code 2 if anything needs a hand."""
    from orchestration.stack.doctor import examine

    findings = examine(load_settings())
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


def _report(text: str) -> None:
    progress.print(text, highlight=False, markup=False)
