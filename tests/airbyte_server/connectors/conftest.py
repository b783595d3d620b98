"""The file source, run as a job runs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from airbyte_server.connectors import ConnectorProgram, run_connector

FILE = ConnectorProgram(source_type="file", version="1")


@dataclass
class Run:
    """What one command wrote."""

    code: int
    lines: list[bytes] = field(default_factory=list)

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.lines]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]

    @property
    def data(self) -> list[dict[str, Any]]:
        return [message["record"]["data"] for message in self.of("RECORD")]

    @property
    def states(self) -> list[dict[str, Any]]:
        return [message["state"] for message in self.of("STATE")]

    @property
    def statuses(self) -> list[str]:
        return [
            message["trace"]["stream_status"]["status"]
            for message in self.of("TRACE")
            if message["trace"]["type"] == "STREAM_STATUS"
        ]

    @property
    def error(self) -> str:
        (error,) = [message["trace"]["error"] for message in self.of("TRACE") if message["trace"]["type"] == "ERROR"]
        return str(error["message"])


class FileConnector:
    """Commands of source `file`."""

    def run(self, command: Any, config: Mapping[str, Any], catalog: Any = None, state: Any = None, **more: Any) -> Run:
        lines: list[bytes] = []
        code = run_connector(FILE, command, config, catalog, state, lines.append, **more)
        return Run(code, lines)

    def discover(self, **config: Any) -> dict[str, dict[str, Any]]:
        run = self.run("discover", config)
        assert run.code == 0, run.lines
        (message,) = run.of("CATALOG")
        return {stream["name"]: stream for stream in message["catalog"]["streams"]}

    def configured(self, mode: str = "full_refresh", **config: Any) -> dict[str, Any]:
        return {
            "streams": [
                {
                    "stream": stream,
                    "sync_mode": mode if mode in stream["supported_sync_modes"] else "full_refresh",
                    "destination_sync_mode": "overwrite",
                    "cursor_field": stream.get("default_cursor_field") or [],
                }
                for stream in self.discover(**config).values()
            ]
        }

    def read(self, mode: str = "full_refresh", state: Any = None, **config: Any) -> Run:
        return self.run("read", config, self.configured(mode, **config), state)


@pytest.fixture(scope="session")
def connector() -> FileConnector:
    return FileConnector()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def catalog_file(tmp_path: Path) -> Path:
    """Stream `items` with key `id` and cursor `updated`."""
    path = tmp_path / "shop.catalog.json"
    entry = {
        "name": "items",
        "json_schema": {"type": "object", "properties": {"id": {"type": "integer"}, "updated": {}}},
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_primary_key": [["id"]],
        "source_defined_cursor": True,
        "default_cursor_field": ["updated"],
        "x-note": "ignored",
    }
    path.write_bytes(orjson.dumps({"streams": [entry, {**entry, "name": "without_a_file"}]}))
    return path
