"""`sluice connector from-openapi`."""

from pathlib import Path
from typing import Annotated

import typer


def from_openapi(
    spec: Annotated[Path, typer.Argument(help="An OpenAPI 3.0 or 3.1 document, YAML or JSON; nothing is fetched.")],
    resource: Annotated[
        list[str] | None,
        typer.Option(help="A list to draft, by path, last word of the path or operationId; may be repeated."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="The connector's name; by default of the API's title.")] = None,
    into: Annotated[
        Path | None, typer.Option(help="The directory for the new folder source-NAME; by default airbyte/connectors.")
    ] = None,
) -> None:
    """Draft a low-code connector from an OpenAPI document."""
    from airbyte_kit.connector import CONNECTORS
    from airbyte_kit.errors import KitError
    from airbyte_kit.openapi import words
    from airbyte_kit.openapi.document import Document
    from airbyte_kit.openapi.drafting import draft
    from airbyte_kit.openapi.folder import write_folder
    from airbyte_kit.openapi.readme import guesses

    try:
        drafted = draft(Document.read(spec), resource or [])
        folder = write_folder(drafted, into or CONNECTORS, name)
    except KitError as error:
        typer.echo(f"error: {words.printable(str(error))}", err=True)
        raise typer.Exit(2) from None
    typer.echo(f"{folder}: {len(drafted.streams)} streams ({', '.join(each.name for each in drafted.streams)}).")
    if drafted.choices.left_out:
        typer.echo(f"{len(drafted.choices.left_out)} lists are left out; the README says why.")
    found = guesses(drafted)
    if found:
        typer.echo("To look at:")
    for each in found:
        typer.echo(f"  - {each}")
    typer.echo(f"Next: sluice connector check {folder.name if into is None else f'{into}/{folder.name}'}")
