"""`sluice connector`: new connectors, the check that they must pass, and where which one runs."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from airbyte_kit.errors import KitError
from airbyte_kit.findings import Finding
from airbyte_kit.openapi.command import from_openapi

app = typer.Typer(help="Connectors: make one, check one, see where which one runs.", no_args_is_help=True)
app.command("from-openapi")(from_openapi)
FAILED_EXIT = 2
_STYLES = {"ok": "green", "failed": "red", "skipped": "yellow"}


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="the tool's name, such as acme-crm")],
    into: Annotated[Path | None, typer.Option(help="where source-NAME is made; by default airbyte/connectors")] = None,
) -> None:
    """Make a connector from the template; it passes `connector check` by its samples as it is."""
    from airbyte_kit.connector import CONNECTORS
    from airbyte_kit.scaffolding import scaffold

    with _sentences():
        folder = scaffold(name, into or CONNECTORS)
    print(f"made {folder}")
    print(f"next: write its manifest, then sluice connector check {name if into is None else folder}")


@app.command("check")
def check(
    name: Annotated[str, typer.Argument(help="a folder of airbyte/connectors (stripe), or a path")],
    config: Annotated[Path | None, typer.Option(help="a configuration (JSON) for the real API")] = None,
    streams: Annotated[str | None, typer.Option(help="only these, between commas")] = None,
    openapi: Annotated[Path | None, typer.Option(help="check against a server made of this OpenAPI document")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object per finding")] = False,
) -> None:
    """Run a connector against the sandbox, an API or its samples, and look at all that it does; exit code 2 on failure.

    Without a configuration the sandbox is started for a connector that it has a tool of, else the samples are replayed.
    """
    from airbyte_kit.check import examined
    from airbyte_kit.connector import find_connector

    console = Console(soft_wrap=True, highlight=False)
    outcomes: list[str] = []
    with _sentences():
        folder = find_connector(name).path
        wanted = None if streams is None else [each.strip() for each in streams.split(",") if each.strip()]
        if wanted == []:
            raise KitError("--streams names no stream; leave it out to check all of them.")
        for finding in examined(folder, _configuration(config), document=openapi, streams=wanted):
            outcomes.append(finding.outcome)
            _show(finding, console, as_json)
    if not as_json:
        console.print(", ".join(f"{outcomes.count(each)} {each}" for each in _STYLES if each in outcomes))
    if "failed" in outcomes:
        raise typer.Exit(FAILED_EXIT)


@app.command("list")
def list_connectors(as_json: Annotated[bool, typer.Option("--json", help="a JSON list")] = False) -> None:
    """Show which connector runs where: embedded as low-code or from PyPI, or on a full Airbyte."""
    from airbyte_kit.matrix import capabilities, table

    with _sentences():
        found = capabilities()
    if as_json:
        print(json.dumps([asdict(each) for each in found], indent=1))
    else:
        print(table(found))


def _show(finding: Finding, console: Console, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(finding)), flush=True)
        return
    place = f"{finding.step} {finding.stream}" if finding.stream else finding.step
    console.print(f"{place:<40} ", end="", markup=False)
    console.print(finding.outcome, style=_STYLES[finding.outcome], end="")
    console.print(f"  {finding.reason}" if finding.reason else "", markup=False)


def _configuration(path: Path | None) -> dict[str, object] | None:
    if path is None:
        return None
    try:
        read = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise KitError(f"Configuration {path} cannot be read: {error}.") from None
    if not isinstance(read, dict):
        raise KitError(f"Configuration {path} is no JSON object.")
    return read


@contextmanager
def _sentences() -> Iterator[None]:
    """What the kit refuses is one sentence on stderr, and exit code 2."""
    try:
        yield
    except KitError as error:
        line = f"error: {' '.join(str(error).split())}"
        Console(stderr=True, soft_wrap=True).print(line, style="red", markup=False, highlight=False)
        sys.exit(FAILED_EXIT)
