"""`sluice audit …`: verify the log of who did what to which tenant, and export it."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer

from analysis.errors import PermanentError
from orchestration.commands.context import warehouse
from orchestration.commands.output import AsJson, console, show_json

app = typer.Typer(help="The audit log: who did what to which tenant.", no_args_is_help=True)


@app.command()
def verify(
    head: Annotated[str | None, typer.Option(help="A hash that `verify` or `export` told earlier.")] = None,
    against: Annotated[
        Path | None, typer.Option(help="An earlier export, whose head must still be in the log.", dir_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Follow the chain from the first row; a changed, removed or reordered row is named, with exit code 2."""
    from analysis.store.audit_chain import verify_log

    if head is not None and against is not None:
        raise PermanentError("Give one of --head and --against.")
    known = _head_of(against) if against is not None else head
    found = verify_log(warehouse().control, known=known)
    if as_json:
        show_json({**found.model_dump(), "ok": found.bad is None})
    if found.bad is not None:
        raise PermanentError("The audit log is not as it was written.", first_bad_row=found.bad, reason=found.reason)
    if not as_json:
        console.print(f"{found.rows} rows, unbroken. Head: {found.head}", highlight=False, soft_wrap=True)


@app.command()
def export(
    output: Annotated[Path | None, typer.Option(help="A file; without it stdout.", dir_okay=False)] = None,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's rows, erased ones' too.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Only rows from this moment on (UTC).")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over the file, if it is there.")] = False,
) -> None:
    """The rows as JSON Lines, oldest first; the last line is the head, to verify against later."""
    from analysis.store.audit import read_head, read_log

    moment = since.replace(tzinfo=since.tzinfo or UTC) if since else None
    reading = warehouse().control.connect().execution_options(isolation_level="REPEATABLE READ")
    with reading as store, _opened(output, force) if output else nullcontext(sys.stdout) as file:
        end = read_head(store)
        for row in read_log(store, tenant=tenant, since=moment):
            print(row.model_dump_json(), file=file)
        print(json.dumps({"head": end.model_dump()}), file=file)


def _opened(path: Path, force: bool) -> TextIO:
    """The file, open for writing: an earlier export is what the log is verified against."""
    try:
        return path.open("w" if force else "x", encoding="utf-8")
    except FileExistsError:
        raise PermanentError("The file is there already; name another, or use --force.", file=str(path)) from None
    except OSError as error:
        sentence = "The file cannot be written; name another."
        raise PermanentError(sentence, file=str(path), cause=error.strerror) from None


def _head_of(path: Path) -> str:
    """The hash in the last line of an export."""
    last = ""
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                last = line
        return str(json.loads(last)["head"]["hash"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PermanentError("The file is no whole export of the audit log.", file=str(path)) from error
