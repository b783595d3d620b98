"""`python -m airbyte_sandbox --out DIR`: write the sandbox's streams for the file source."""

import argparse
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from airbyte_sandbox import TOOLS, World, write_world


def main(arguments: Sequence[str] | None = None) -> int:
    """Write every asked tool's streams and say how many records each has."""
    parser = _parser()
    given = parser.parse_args(arguments)
    tools = tuple(name for name in given.tools.split(",") if name)
    unknown = sorted(set(tools) - TOOLS.keys())
    if unknown or not tools:
        parser.error(f"--tools takes names of {', '.join(TOOLS)}; got {given.tools!r}")
    world = World(given.seed, given.customers, given.end - timedelta(days=given.days - 1), given.end)
    try:
        counts = write_world(given.out, world, tools)
    except OSError as error:
        parser.exit(2, f"The sandbox cannot write to {given.out}: {error.strerror}; choose another --out.\n")
    for tool, streams in counts.items():
        sys.stdout.write(f"{tool}: " + ", ".join(f"{name} {count}" for name, count in streams.items()) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m airbyte_sandbox", description="Data for the demo and the tests.")
    parser.add_argument("--out", type=Path, required=True, help="directory for DIR/<tool>/<stream>.jsonl")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--customers", type=_positive, default=200, help="how many there are after 120 days")
    parser.add_argument("--days", type=_positive, default=120)
    parser.add_argument("--end", type=date.fromisoformat, default=date(2026, 6, 30), help="the last day, YYYY-MM-DD")
    parser.add_argument("--tools", default=",".join(TOOLS), help="comma-separated; default all")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
