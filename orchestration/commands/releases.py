"""Commands on what is published: `releases`, `rollback`."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.commands.context import warehouse
from orchestration.commands.output import AsJson, console, show_rows

TenantArgument = Annotated[str, typer.Argument(help="The tenant's id.", metavar="TENANT")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(releases)
    app.command()(rollback)


def releases(tenant: TenantArgument, as_json: AsJson = False) -> None:
    """A tenant's releases, newest first."""
    from orchestration.tenancy.registry import show_tenant

    rows = [
        {
            "release": row.number,
            "status": row.status,
            "stale": row.stale_reason if row.status == "published" else None,
            "plan": row.plan_id,
            "model_set": row.model_set,
            "rows": sum(int(count) for count in row.counts.values()),
            "published_at": row.published_at,
        }
        for row in show_tenant(warehouse().control, tenant).releases
    ]
    show_rows(rows, as_json, title=f"releases of {tenant}")


def rollback(
    tenant: TenantArgument,
    release: Annotated[int | None, typer.Argument(help="A kept release; without it the one before.")] = None,
) -> None:
    """Publish a kept release again, in one transaction; naming the newer one takes it back."""
    from orchestration.tenancy.publishing import releases as tenancy

    published = tenancy.rollback(warehouse().control, tenant, release)
    console.print(f"Tenant {tenant} reads release {published.number} again.", highlight=False)
