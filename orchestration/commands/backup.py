"""`sluice backup` and `sluice restore`: the whole stack, or one tenant, in one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.commands.output import AsJson, console, progress, show_json, working
from orchestration.settings import load_settings

if TYPE_CHECKING:
    from orchestration.stack.backup.service import Outcome

PLACE = "FILE_OR_DIR"
TenantOption = Annotated[str | None, typer.Option(help="One tenant alone.", metavar="ID")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(backup)
    app.command()(restore)


def backup(
    place: Annotated[Path, typer.Argument(help="A new file, or a folder for one named by time.", metavar=PLACE)],
    tenant: TenantOption = None,
    with_secrets: Annotated[
        bool, typer.Option("--with-secrets", help="Put the secret key into the file too: whoever has it has all.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the whole stack, or one tenant, to a file of mode 0600; runs may go on meanwhile."""
    from orchestration.stack.backup.service import back_up

    with working(f"backing up {tenant or 'the stack'}"):
        outcome = back_up(load_settings(), place, _report, tenant=tenant, with_secrets=with_secrets)
    _show("Backed up", outcome, as_json)
    if outcome.has_secrets:
        progress.print("The file holds the secret key: keep it as you keep passwords.", style="yellow")
    elif not as_json:
        console.print("The secret key is not in it: keep a copy of it elsewhere.")


def restore(
    place: Annotated[Path, typer.Argument(help="The file, or a folder of which to take the newest.", metavar=PLACE)],
    tenant: TenantOption = None,
    key_file: Annotated[
        Path | None, typer.Option(help="The secret key that the backup was written with, where this home has another.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Restore the whole into a home without tenants, or one tenant that was removed; all or nothing."""
    from orchestration.stack.backup.service import restore as restore_from

    settings = load_settings()
    with working(f"restoring {tenant or 'the stack'}"):
        outcome = restore_from(settings, place, _report, tenant=tenant, key_file=key_file)
        if tenant is not None:
            from orchestration.execution import add_partition

            add_partition(settings, tenant)
    _show("Restored", outcome, as_json)


def _show(done: str, outcome: Outcome, as_json: bool) -> None:
    if as_json:
        show_json(outcome.as_json())
        return
    what = f"tenant {outcome.tenants[0]}" if outcome.kind == "tenant" else f"{len(outcome.tenants)} tenant(s)"
    size = f"{outcome.tables:,} tables, {outcome.rows:,} rows, {outcome.bytes / 1e6:,.1f} MB"
    line = f"{done} {what} of {outcome.made_at} ({size}) in {outcome.seconds:.1f} s: {outcome.file}"
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def _report(text: str) -> None:
    progress.print(text, highlight=False, markup=False)
