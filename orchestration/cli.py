"""`sluice`: the command line; each command parses, calls one function and prints."""

import sys
import traceback

import typer
from airbyte_kit.commands import app as connectors
from rich.console import Console

from analysis.errors import SluiceError
from orchestration.commands import audit, backup, demo, releases, runs, sandbox, stack, tenants

app = typer.Typer(
    name="sluice",
    help="Gated ELT for many tenants: sample, plan, prove, build, publish, report.",
    epilog="Any command takes --debug, which prints a traceback for an error.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(tenants.app, name="tenant")
app.add_typer(audit.app, name="audit")
app.add_typer(connectors, name="connector")
for module in (stack, runs, releases, demo, sandbox, backup):
    module.register(app)

ERROR_EXIT = 2


def main() -> None:
    """Run the command; an error is one sentence on stderr and exit code 2, a traceback only with --debug."""
    debug = "--debug" in sys.argv[1:]
    try:
        app(args=[argument for argument in sys.argv[1:] if argument != "--debug"])
    except SluiceError as error:
        _fail(str(error), debug)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the edge of the program: what nobody foresaw is still one sentence
        _fail(_in_words(error), debug)


def _in_words(error: Exception) -> str:
    """The database's errors as sentences of ours where they have one; anything else by its name and first line."""
    import psycopg
    from sqlalchemy.exc import DBAPIError

    from orchestration.tenancy.statements import in_words

    told = in_words(error) if isinstance(error, psycopg.Error | DBAPIError) else error
    if isinstance(told, SluiceError):
        return str(told)
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"


def _fail(sentence: str, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    line = f"error: {' '.join(sentence.split())}"
    Console(stderr=True, soft_wrap=True).print(line, style="red", markup=False, highlight=False)
    sys.exit(ERROR_EXIT)


if __name__ == "__main__":
    main()
