"""Connectors' real records as samples, laid out as their raw tables are: declared columns only."""

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest

from analysis.profiling import StreamSample

ReadConnector = Callable[..., list[StreamSample]]


@pytest.fixture(scope="session")
def read_connector(shared: Path) -> ReadConnector:
    """Reads the recorded streams of a connector, or those of them that are named."""

    def read(connector: str, streams: Collection[str] = ()) -> list[StreamSample]:
        catalog = json.loads((shared / "catalogs" / f"{connector}.json").read_text("utf-8"))
        found = [
            (stream, shared / "records" / connector / f"{stream['name'].replace('/', '_')}.jsonl")
            for stream in catalog["streams"]
            if not streams or stream["name"] in streams
        ]
        return [_sample(connector, stream, path) for stream, path in found if path.exists()]

    return read


def _sample(connector: str, stream: dict[str, Any], path: Path) -> StreamSample:
    declared = stream["json_schema"].get("properties") or {}
    records = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    if declared:
        records = [{name: value for name, value in record.items() if name in declared} for record in records]
    source = connector.replace("-", "_")
    return StreamSample(
        source=source,
        stream=stream["name"],
        table=f"{source}_{stream['name']}",
        json_schema=stream["json_schema"],
        primary_key=tuple(tuple(part) for part in stream.get("source_defined_primary_key") or ()),
        cursor=tuple(stream.get("default_cursor_field") or ()),
        records=records,
    )
