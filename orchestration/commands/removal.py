"""`sluice tenant remove`: a tenant goes, on every side, with a receipt where its records go too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.commands.context import airbyte, warehouse
from orchestration.commands.output import AsJson, console, program, show_json, show_rows, working
from orchestration.settings import load_settings

if TYPE_CHECKING:
    from orchestration.tenancy.erasure import Receipt


def register(app: typer.Typer) -> None:
    """Add the command to `sluice tenant`."""
    app.command()(remove)


def remove(
    tenant: Annotated[str, typer.Argument(help="The tenant's id.", metavar="ID")],
    erase: Annotated[
        bool, typer.Option("--erase", help="Its records, logs and history too; prints a receipt.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Stop a tenant's runs; remove its workspace, schemas, logins and fleet rows. Interrupted: run it again."""
    from orchestration.tenancy.erasure import find_receipt
    from orchestration.tenancy.registry import show_tenant

    receipt = find_receipt(warehouse().control, tenant) if erase else None
    if receipt is None:
        show_tenant(warehouse().control, tenant, even_removed=True)
        if not yes:
            what = "everything, its records and logs included," if erase else "everything but its records"
            typer.confirm(f"Remove {what} of tenant {tenant}?", abort=True)
        with working(f"removing {tenant}"):
            stopped = withdraw(tenant)
        if erase:
            with working(f"erasing {tenant}"):
                receipt = wipe(tenant)
    if receipt is not None:
        show_receipt(receipt, as_json)
    elif as_json:
        show_json({"tenant": tenant, "status": "removed", "stopped_runs": stopped})
    else:
        console.print(
            f"Tenant {tenant} is removed; its plans, mappings and reports are kept. To erase them:"
            f" {program()} tenant remove {tenant} --erase",
            highlight=False,
        )


def withdraw(tenant: str) -> int:
    """Take a tenant out of Dagster, Airbyte and the warehouse; how many of its runs were stopped."""
    from orchestration.execution import delete_partition
    from orchestration.run_records import stop_runs
    from orchestration.tenancy.enrolment import withdraw_tenant
    from orchestration.tenancy.lock import end_run
    from orchestration.tenancy.removal import begin_removal

    control = warehouse().control
    begin_removal(control, tenant)
    stopped = stop_runs(load_settings(), tenant)
    end_run(control, tenant)
    delete_partition(load_settings(), tenant)
    withdraw_tenant(warehouse(), airbyte(), tenant)
    return stopped


def wipe(tenant: str) -> Receipt:
    """Erase what a removed tenant left: first what can be done twice, at last the rows that say it was there."""
    from orchestration.run_records import erase_runs
    from orchestration.tenancy.erasure import erase_files, erase_records

    settings = load_settings()
    places = erase_runs(settings, tenant) | erase_files(warehouse().control, tenant, settings.home)
    return erase_records(warehouse().control, tenant, places)


def show_receipt(receipt: Receipt, as_json: bool) -> None:
    """Print what an erasure deleted."""
    if as_json:
        show_json(receipt.model_dump(mode="json"))
        return
    rows = [{"where": f"sluice.{table}", "erased": count} for table, count in receipt.records.items()]
    rows += [{"where": place, "erased": count} for place, count in receipt.places.items()]
    show_rows(rows, False, title=f"receipt: tenant {receipt.tenant} is erased")
    console.print(
        f"At {receipt.erased_at:%Y-%m-%d %H:%M:%S} UTC by {receipt.erased_by};"
        f" row {receipt.audit_row} of the audit log, {receipt.audit_hash}",
        highlight=False,
        soft_wrap=True,
    )
