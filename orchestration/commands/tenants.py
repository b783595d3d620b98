"""`sluice tenant …`: add, list, show, connect, pause, resume; `remove` is a module of its own."""

from __future__ import annotations

import os
import shutil
from typing import Annotated

import typer

from orchestration.commands import removal
from orchestration.commands.context import airbyte, warehouse
from orchestration.commands.output import AsJson, console, program, progress, show_json, show_rows, working
from orchestration.settings import load_settings

app = typer.Typer(help="Tenants: who they are and what is connected.", no_args_is_help=True)
removal.register(app)
TenantArgument = Annotated[str, typer.Argument(help="The tenant's id.", metavar="ID")]


@app.command()
def add(
    tenant: TenantArgument,
    source: Annotated[
        list[str],
        typer.Option(help="NAME=TYPE[:key=value,…]; key.key nests, key[] is a list, key=env:VARIABLE hides a secret."),
    ],
    streams: Annotated[list[str] | None, typer.Option(help="NAME=stream,…; without it all of a source's.")] = None,
) -> None:
    """Create a tenant with its sources in Airbyte, schemas and logins; run again to finish or extend it."""
    from orchestration.execution import add_partition
    from orchestration.tenancy.enrolment import enrol_tenant
    from orchestration.tenancy.sources import choose_streams, parse_source

    specs = choose_streams([parse_source(text) for text in source], streams or ())
    with working(f"adding {tenant}"):
        discovered = enrol_tenant(warehouse(), airbyte(), tenant, specs, progress.print)
        add_partition(load_settings(), tenant)
    for name, found in discovered.items():
        console.print(f"{name}: {len(found)} streams", highlight=False)
    console.print(f"Tenant {tenant} is ready. Next: {program()} onboard {tenant}", highlight=False)


@app.command("list")
def list_(
    all_: Annotated[bool, typer.Option("--all", help="Removed tenants, too.")] = False, as_json: AsJson = False
) -> None:
    """Every tenant with its state and published release."""
    from analysis.store.releases import find_status
    from analysis.store.tenants import list_sources, list_tenants

    with warehouse().control.connect() as store:
        rows = []
        for tenant in list_tenants(store, with_removed=all_):
            published = find_status(store, tenant.tenant_id, "published")
            rows.append(
                {
                    "tenant": tenant.tenant_id,
                    "status": tenant.status,
                    "sources": ", ".join(source.name for source in list_sources(store, tenant.tenant_id)),
                    "release": published.number if published else None,
                    "published_at": published.published_at if published else None,
                    "stale": published.stale_reason if published and published.is_stale else None,
                }
            )
    show_rows(rows, as_json, title="tenants")


@app.command()
def show(tenant: TenantArgument, as_json: AsJson = False) -> None:
    """One tenant: sources, releases, what went wrong."""
    from orchestration.tenancy.registry import show_tenant

    detail = show_tenant(warehouse().control, tenant, even_removed=True)
    if as_json:
        show_json(
            {
                "tenant": detail.tenant.model_dump(mode="json"),
                "sources": [source.model_dump(mode="json") for source in detail.sources],
                "releases": [release.model_dump(mode="json") for release in detail.releases],
                "incidents": [incident.model_dump(mode="json") for incident in detail.incidents],
            }
        )
        return
    reason = f" ({detail.tenant.paused_reason})" if detail.tenant.paused_reason else ""
    console.print(f"{detail.tenant.tenant_id}: {detail.tenant.status}{reason}", highlight=False, markup=False)
    sources = [
        {"source": row.name, "connector": row.connector, "streams": len(row.streams), "connection": row.connection_id}
        for row in detail.sources
    ]
    show_rows(sources, False, title="sources")
    releases = [
        {
            "release": row.number,
            "status": row.status,
            "published": row.published_at,
            "stale": row.stale_reason if row.status == "published" else None,
        }
        for row in detail.releases
    ]
    show_rows(releases, False, title="releases")
    incidents = [{"at": row.happened_at, "step": row.step, "what": row.sentence} for row in detail.incidents]
    show_rows(incidents, False, title="open incidents")


@app.command()
def connect(tenant: TenantArgument, as_json: AsJson = False) -> None:
    """How to read the tenant's analytics with psql, as its reader; prints a password."""
    from orchestration.tenancy.registry import show_tenant

    show_tenant(warehouse().control, tenant)
    url = warehouse().reader_url(tenant)
    if as_json:
        show_json({"tenant": tenant, "url": url, "schema": f"tenant_{tenant}_analytics", "psql": _psql()})
        return
    typer.echo(f"{_psql()} '{url}'")
    typer.echo(f"Its tables are in schema tenant_{tenant}_analytics: try \\dt tenant_{tenant}_analytics.*")


@app.command()
def psql(
    tenant: TenantArgument,
    command: Annotated[str | None, typer.Option("--command", "-c", help="One statement instead of a session.")] = None,
) -> None:
    """Open psql as the tenant's reader, whose search path is its published release; shows no password."""
    from sqlalchemy.engine import make_url

    from orchestration.tenancy.registry import show_tenant

    show_tenant(warehouse().control, tenant)
    url = make_url(warehouse().reader_url(tenant))
    place = {"PGHOST": url.host, "PGPORT": str(url.port or 5432), "PGDATABASE": url.database}
    login = {"PGUSER": url.username, "PGPASSWORD": str(url.password)}
    options = ["-c", command] if command else []
    given = {name: value for name, value in {**place, **login}.items() if value}
    os.execvpe(_psql(), ["psql", *options], os.environ | given)  # noqa: S606 - the program takes this one's place


@app.command()
def renew_passwords(tenant: TenantArgument) -> None:
    """Give the tenant's builder and reader new passwords; refused during a run, which has the old ones."""
    from orchestration.tenancy.registry import show_tenant
    from orchestration.tenancy.walls import credentials

    show_tenant(warehouse().control, tenant)
    credentials.renew_passwords(warehouse().control, tenant, warehouse().key)
    console.print(f"Tenant {tenant} has new passwords: {program()} tenant connect {tenant}", highlight=False)


@app.command()
def pause(
    tenant: TenantArgument, reason: Annotated[str, typer.Option(help="Why, for whoever looks.")] = "paused by hand"
) -> None:
    """Start no more runs of a tenant; what is published stays readable."""
    from orchestration.tenancy.registry import pause_tenant

    pause_tenant(warehouse().control, tenant, reason)
    console.print(f"Tenant {tenant} is paused.", highlight=False)


@app.command()
def resume(tenant: TenantArgument) -> None:
    """Let a paused tenant run again."""
    from orchestration.tenancy.registry import resume_tenant

    resume_tenant(warehouse().control, tenant)
    console.print(f"Tenant {tenant} is active.", highlight=False)


def _psql() -> str:
    """The machine's psql, else the embedded one."""
    from orchestration.stack.binaries import find_binaries

    return "psql" if shutil.which("psql") else find_binaries().program("psql")
