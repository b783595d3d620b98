"""What every asset shares: the tenant's key, errors that become Dagster failures, and metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from analysis.errors import PermanentError, SluiceError
from analysis.profiling.masking import mask_rows
from analysis.store.runs import record_error, resolve_incidents
from analysis.store.tenants import find_tenant
from orchestration.assets.freshness import tell_stale
from orchestration.resources.raw_data import TableSize
from orchestration.resources.warehouse import Warehouse

PREVIEW_ROWS = 10
CELL_CHARACTERS = 120


@contextmanager
def tenant_step(context: dg.AssetExecutionContext, warehouse: Warehouse, *, before_swap: bool = True) -> Iterator[str]:
    """Yield the tenant; an error is stored as an incident and ends the step with its sentence.

    A step that succeeds resolves its earlier incidents. What nobody foresaw passes as it is, with its traceback.
    Whatever fails before the swap leaves the published release stale, for that reason.
    """
    tenant = context.partition_key
    step = context.op_execution_context.op.name
    try:
        context.resources.tenant_run.check()
        yield tenant
    except SluiceError as error:
        permanent = isinstance(error, PermanentError)
        # The database may be what failed: that must not hide the sentence.
        with suppress(SQLAlchemyError), warehouse.control.begin() as connection:
            if find_tenant(connection, tenant) is not None:  # Dagster's partitions may name one that nobody added
                record_error(connection, tenant, step, error)
                if before_swap:
                    tell_stale(context, connection, tenant, error.sentence)
        raise dg.Failure(str(error), allow_retries=not permanent) from error
    except (Exception, dg.DagsterExecutionInterruptedError, KeyboardInterrupt) as error:
        with suppress(SQLAlchemyError), warehouse.control.begin() as connection:
            if before_swap:
                tell_stale(context, connection, tenant, f"Step {step} did not finish: {type(error).__name__}.")
        raise
    with warehouse.control.begin() as connection:
        resolve_incidents(connection, tenant, step=step)


def sizes_metadata(sizes: Mapping[str, TableSize]) -> dict[str, Any]:
    """Rows and bytes in all and per table."""
    rows = [{"table": table, "rows": size.rows, "bytes": size.bytes} for table, size in sorted(sizes.items())]
    return {
        "streams": len(sizes),
        "dagster/row_count": sum(size.rows for size in sizes.values()),
        "bytes": sum(size.bytes for size in sizes.values()),
        "tables": rows_table(rows, limit=len(rows)),
    }


def preview_table(rows: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    """A few rows of a tenant's data; Dagster keeps what it shows, so personal values are masked."""
    return rows_table(mask_rows(rows[:PREVIEW_ROWS]))


def rows_table(rows: Sequence[Mapping[str, object]], limit: int = PREVIEW_ROWS) -> dg.MetadataValue:
    """Rows as a Markdown table; what tenants wrote is escaped, since the UI renders it."""
    if not rows:
        return dg.MetadataValue.md("*no rows*")
    head = [f"| {' | '.join(map(_cell, rows[0]))} |", f"|{' --- |' * len(rows[0])}"]
    body = [f"| {' | '.join(map(_cell, row.values()))} |" for row in rows[:limit]]
    return dg.MetadataValue.md("\n".join([*head, *body]))


def _cell(value: object) -> str:
    text = " ".join(str(value).split()) if value is not None else ""
    if len(text) > CELL_CHARACTERS:
        text = f"{text[: CELL_CHARACTERS - 1]}…"
    for character in "\\`*_{}[]<>#|":
        text = text.replace(character, "\\" + character)
    return text
