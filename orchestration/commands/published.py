"""What a tenant's published release holds, printed: its relations, and a few lines of each mart."""

from __future__ import annotations

from orchestration.commands.context import warehouse
from orchestration.commands.output import console, fitting_columns, program, show_rows

PREVIEW_ROWS = 3
FIRST = "unified_customers"


def show_release(tenant: str) -> None:
    """Print what is published now, and how to read it."""
    from analysis.store.releases import find_status

    with warehouse().control.connect() as store:
        published = find_status(store, tenant, "published")
    if published is None:
        return
    rows = [{"relation": name, "rows": count} for name, count in sorted(published.counts.items())]
    show_rows(rows, False, title=f"tenant_{tenant}_analytics, release {published.number}")
    console.print(f"Read it: {program()} tenant psql {tenant}", highlight=False)


def show_marts(tenant: str) -> None:
    """Print the last lines of each mart that has any, as many columns as fit, without keys of our own making."""
    from orchestration.assets.marts import mart_specs
    from orchestration.resources.raw_data import preview

    reader = warehouse().reader(tenant)
    for mart in sorted((spec.key.path[-1] for spec in mart_specs()), key=lambda name: (name != FIRST, name)):
        found = preview(reader, f"tenant_{tenant}_analytics", mart, PREVIEW_ROWS)
        rows = [{name: value for name, value in row.items() if not name.endswith("_key")} for row in found]
        if rows:
            names = fitting_columns(rows)
            more = f" (and {len(rows[0]) - len(names)} more columns)" if len(names) < len(rows[0]) else ""
            shown = [{name: row[name] for name in names} for row in rows]
            show_rows(shown, False, title=f"tenant_{tenant}_analytics.{mart}{more}")
