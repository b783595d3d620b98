"""How commands print: a table for a person, JSON for a program, a spinner for what takes long."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

console = Console()
progress = Console(stderr=True)


def program() -> str:
    """How this program was called, for what to type next."""
    return sys.argv[0] if Path(sys.argv[0]).name == "sluice" else "sluice"


def show_rows(rows: Sequence[Mapping[str, Any]], as_json: bool, title: str | None = None) -> None:
    """Print rows of equal keys as a table, or as a JSON array."""
    if as_json:
        show_json(rows)
        return
    if not rows:
        console.print(f"{title}: none" if title else "none")
        return
    table = Table(*rows[0].keys(), title=title, title_justify="left")
    for row in rows:
        table.add_row(*map(_cell, row.values()))
    console.print(table)


def fitting_columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The first columns, as many as this terminal shows unbroken; at least one."""
    names: list[str] = []
    left = console.width - 1
    for name in rows[0]:
        left -= max(len(name), *(len(_cell(row[name])) for row in rows)) + 3
        if left < 0 and names:
            break
        names.append(name)
    return names


def _cell(value: object) -> Text:
    """A value as plain text: what tenants wrote is neither markup nor a terminal's escape sequence."""
    if isinstance(value, datetime):
        return Text(f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}")
    text = "" if value is None else str(value)
    return Text("".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text))


def show_json(value: object) -> None:
    """Print one JSON document on stdout."""
    typer.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show a spinner on a terminal, a line elsewhere, while something takes its time."""
    if not progress.is_terminal:
        progress.print(text, highlight=False)
        yield
        return
    with progress.status(text):
        yield
