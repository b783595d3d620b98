"""Files for the file source: each is written beside its place and renamed into it."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from airbyte_sandbox.anomalies import planted
from airbyte_sandbox.schema import catalog
from airbyte_sandbox.tools import TOOLS
from airbyte_sandbox.world import World


def write_world(out: Path, world: World, tools: Sequence[str] = tuple(TOOLS)) -> dict[str, dict[str, int]]:
    """Write `<tool>/<stream>.jsonl`, `<tool>.catalog.json` and `truth.json`; answer the records per tool and stream."""
    counts: dict[str, dict[str, int]] = {}
    for name in tools:
        tool = TOOLS[name]
        streams = tool.records(world)
        (out / name).mkdir(parents=True, exist_ok=True)
        for stream, records in streams.items():
            _replace(out / name / f"{stream}.jsonl", (_line(record) for record in records))
        _replace(out / f"{name}.catalog.json", [json.dumps(catalog(tool.streams), indent=1) + "\n"])
        counts[name] = {stream: len(records) for stream, records in streams.items()}
    _replace(out / "truth.json", [json.dumps(_truth(world, tools), indent=1) + "\n"])
    return counts


def _truth(world: World, tools: Sequence[str]) -> dict[str, Any]:
    """What was planted, for tests of whatever looks for it."""
    return {
        "seed": world.seed,
        "customers": world.customers,
        "start": world.start.isoformat(),
        "end": world.end.isoformat(),
        "anomalies": [found.as_json() for found in planted(world) if found.tool in tools],
    }


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"


def _replace(path: Path, lines: Iterable[str]) -> None:
    """A reader sees the old file or the new one, never a part."""
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.writelines(lines)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
