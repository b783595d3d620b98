"""`sluice sandbox`: what a source needs to be read from an account of the sandbox."""

from __future__ import annotations

from typing import Annotated

import typer

from analysis.errors import PermanentError
from orchestration.commands.output import AsJson, show_json
from orchestration.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(sandbox)


def sandbox(
    account: Annotated[str, typer.Argument(help="The account's name; the demo has acme and globex.")],
    tool: Annotated[str | None, typer.Argument(help="One tool, such as stripe; without it all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print what `tenant add --source` takes to read a made-up account, whose keys open nothing else."""
    from orchestration.demo.accounts import Accounts
    from orchestration.stack.sandbox import running_url
    from orchestration.tenancy.source_settings import write_settings

    url = running_url(load_settings().home)
    if url is None:
        raise PermanentError("The sandbox is not running; `sluice demo` makes it, `sluice up` starts it again.")
    found = Accounts(url).find(account)
    configurations = found["configurations"] if found else {}
    if found is None or (tool is not None and tool not in configurations):
        raise PermanentError("The sandbox has no such account or tool.", account=account, tools=sorted(configurations))
    chosen = {name: each for name, each in configurations.items() if tool in (None, name)}
    if as_json:
        show_json(chosen)
        return
    for name, each in chosen.items():
        typer.echo(f"{name.replace('-', '_')}={name}:{write_settings(each)}")
