"""Rows as Markdown tables, as the UI shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Any

import dagster as dg

from analysis.profiling.masking import mask_rows
from orchestration.assets.charts import bar
from orchestration.resources.raw_data import TableSize

PREVIEW_ROWS = 10
RANKED = 8
CELL_CHARACTERS = 120


def sizes_metadata(sizes: Mapping[str, TableSize]) -> dict[str, Any]:
    """Rows and bytes in all and per table."""
    largest = max((size.rows for size in sizes.values()), default=0)
    rows = [
        {"table": table, "rows": size.rows, "bytes": size.bytes, "share": bar(size.rows, largest)}
        for table, size in sorted(sizes.items())
    ]
    return {
        "streams": len(sizes),
        "dagster/row_count": sum(size.rows for size in sizes.values()),
        "bytes": sum(size.bytes for size in sizes.values()),
        **ranked_tables(rows, "rows", first="largest", whole="tables"),
    }


def ranked_tables(
    rows: Sequence[Mapping[str, object]], by: str, *, first: str, whole: str
) -> dict[str, dg.MetadataValue]:
    """All rows as a table, and the first ones by a number: the UI hides a long table behind a button."""
    ranked = sorted(rows, key=lambda row: -float(str(row[by] or 0)))
    head = {first: rows_table(ranked, limit=RANKED)} if len(rows) > RANKED else {}
    return {**head, whole: rows_table(rows, limit=len(rows))}


def preview_table(rows: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    """A few rows of a tenant's data; Dagster keeps what it shows, so personal values are masked."""
    return rows_table(mask_rows(rows[:PREVIEW_ROWS]))


def rows_table(rows: Sequence[Mapping[str, object]], limit: int = PREVIEW_ROWS) -> dg.MetadataValue:
    """Rows as a Markdown table, numbers to the right; what tenants wrote is escaped, since the UI renders it."""
    if not rows:
        return dg.MetadataValue.md("*no rows*")
    head = [f"| {' | '.join(map(text_cell, rows[0]))} |", f"|{''.join(map(_rule, rows[0].values()))}"]
    body = [f"| {' | '.join(map(text_cell, row.values()))} |" for row in rows[:limit]]
    return dg.MetadataValue.md("\n".join([*head, *body]))


def text_cell(value: object) -> str:
    """A value as text that Markdown shows as it is, on one line and cut where it is long."""
    text = " ".join(str(value).split()) if value is not None else ""
    if len(text) > CELL_CHARACTERS:
        text = f"{text[: CELL_CHARACTERS - 1]}…"
    for character in "\\`*_{}[]<>#|":
        text = text.replace(character, "\\" + character)
    return text


def named(names: Sequence[str], limit: int = 5) -> str:
    """Names in a sentence, as plain text: the first few, and how many more."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(map(text_cell, names[:limit])) + more


def _rule(value: object) -> str:
    is_number = isinstance(value, Number) and not isinstance(value, bool)
    return " ---: |" if is_number else " --- |"
