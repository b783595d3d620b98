"""`python -m airbyte_sandbox`: `export` writes streams for the file source, `serve` answers as the tools' APIs do."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import date, timedelta
from pathlib import Path

from airbyte_sandbox import TOOLS, World, write_world

_COMMANDS = ("export", "serve")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; without a command's name it is `export`."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or (words[0] not in _COMMANDS and words[0] not in ("-h", "--help")):
        words.insert(0, "export")
    parser = argparse.ArgumentParser(prog="python -m airbyte_sandbox", description="Data for the demo and the tests.")
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export", help="write every tool's streams as files")
    _add_export(export)
    _add_serve(commands.add_parser("serve", help="answer over HTTP as the tools' APIs do"))
    given = parser.parse_args(words)
    return _serve(given) if given.command == "serve" else _export(export, given)


def _export(parser: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    """Write every asked tool's streams and say how many records each has."""
    tools = tuple(name for name in given.tools.split(",") if name)
    unknown = sorted(set(tools) - TOOLS.keys())
    if unknown or not tools:
        parser.error(f"--tools takes names of {', '.join(TOOLS)}; got {given.tools!r}")
    try:
        world = World(given.seed, given.customers, given.end - timedelta(days=given.days - 1), given.end)
        counts = write_world(given.out, world, tools)
    except OverflowError:
        parser.error(f"--days {given.days} before --end {given.end} are more than the calendar has")
    except OSError as error:
        parser.exit(2, f"The sandbox cannot write to {given.out}: {error.strerror}; choose another --out.\n")
    for tool, streams in counts.items():
        sys.stdout.write(f"{tool}: " + ", ".join(f"{name} {count}" for name, count in streams.items()) + "\n")
    return 0


def _serve(given: argparse.Namespace) -> int:
    """Serve until a signal; 2 and a sentence where the file or the port cannot be had."""
    from airbyte_sandbox.server.accounts import Accounts, SettingsError, held
    from airbyte_sandbox.server.running import serve

    try:
        with held(given.accounts) if given.accounts else nullcontext():
            serve(Accounts(given.accounts), given.port, lambda url: print(f"sandbox: {url}", flush=True))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"The sandbox cannot listen on port {given.port}: {error.strerror}; choose another.", file=sys.stderr)
        return 2
    return 0


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="directory for DIR/<tool>/<stream>.jsonl")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--customers", type=_positive, default=200, help="how many there are after 120 days")
    parser.add_argument("--days", type=_positive, default=120)
    parser.add_argument("--end", type=date.fromisoformat, default=date(2026, 6, 30), help="the last day, YYYY-MM-DD")
    parser.add_argument("--tools", default=",".join(TOOLS), help="comma-separated; default all")


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=_port, default=8090, help="on 127.0.0.1; 0 takes a free one (8090)")
    parser.add_argument("--accounts", type=Path, metavar="FILE", help="where accounts are kept; without it in memory")


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("0 to 65535")
    return number


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
