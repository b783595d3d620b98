"""Every connector of airbyte/connectors, run against what its samples say."""

import functools
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from airbyte_server.connectors.folders import ConnectorFolder, read_folders
from airbyte_server.connectors.program import Command, ConnectorProgram
from airbyte_server.connectors.running import run_connector
from airbyte_server.secrets.marks import marks_of

from orchestration.settings import PROJECT_ROOT
from tests.airbyte_connectors.replay import (
    Answer,
    Asked,
    Exchange,
    JsonObject,
    NothingNew,
    Replay,
    Script,
)

CONNECTORS = PROJECT_ROOT / "airbyte" / "connectors"
NOT_STREAMS = ("config", "differences", "unauthorized")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class Run:
    """What one command said, and what it asked the API."""

    code: int
    lines: list[bytes]
    asked: list[Asked]
    waited: list[float]

    @functools.cached_property
    def messages(self) -> list[JsonObject]:
        """Each line as the message it is."""
        return [orjson.loads(line) for line in self.lines]

    def of(self, kind: str) -> list[JsonObject]:
        """What the messages of a kind hold."""
        name = "connectionStatus" if kind == "CONNECTION_STATUS" else kind.lower()
        return [each[name] for each in self.messages if each["type"] == kind]

    @property
    def rows(self) -> list[JsonObject]:
        """The records' data."""
        return [each["data"] for each in self.of("RECORD")]

    @property
    def errors(self) -> list[JsonObject]:
        """Each TRACE that is an error."""
        return [each for each in self.of("TRACE") if each["type"] == "ERROR"]

    def statuses(self, stream: str) -> list[str]:
        """What the stream's TRACE messages say of it."""
        found = [each["stream_status"] for each in self.of("TRACE") if each["type"] == "STREAM_STATUS"]
        return [each["status"] for each in found if each["stream_descriptor"]["name"] == stream]

    @property
    def state(self) -> list[JsonObject]:
        """The last state of each stream."""
        return list({each["stream"]["stream_descriptor"]["name"]: each for each in self.of("STATE")}.values())

    def told(self) -> str:
        """What to read where a test fails."""
        logs = [each["message"] for each in self.of("LOG") if each["level"] in ("WARN", "ERROR", "FATAL")]
        errors = [f"{each['error']['message']} ({each['error'].get('internal_message')})" for each in self.errors]
        return "\n".join(text.splitlines()[0][:500] for text in [*logs[-5:], *errors[:3]] if text)


@dataclass
class Reading:
    """A full read of a stream, and the exchanges it went through."""

    run: Run
    script: Script


@dataclass
class Connector:
    """One folder; what takes long is done once."""

    name: str
    replay: Replay
    readings: dict[str, Reading] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Its folder."""
        return CONNECTORS / f"source-{self.name}"

    @functools.cached_property
    def folder(self) -> ConnectorFolder:
        """As the server reads it."""
        return next(each for each in read_folders(CONNECTORS) if each.path == self.path)

    @functools.cached_property
    def manifest(self) -> JsonObject:
        """As the server reads it."""
        read: JsonObject = yaml.load((self.path / "manifest.yaml").read_bytes(), Loader=_LOADER)
        return read

    @functools.cached_property
    def written(self) -> bytes:
        """The manifest once more, for airbyte-cdk writes into what it is given."""
        return orjson.dumps(self.manifest, option=orjson.OPT_NON_STR_KEYS)

    @functools.cached_property
    def specification(self) -> JsonObject:
        """The JSON schema of its configuration."""
        written: JsonObject = self.manifest["spec"]["connection_specification"]
        return written

    @functools.cached_property
    def config(self) -> JsonObject:
        """The fake configuration, for the replayed API."""
        default = str(self.specification["properties"].get("base_url", {}).get("default") or "")
        self.base_path = "/".join(["", *default.split("/")[3:]]).rstrip("/")
        written: JsonObject = json.loads((self.path / "samples" / "config.json").read_text())
        assert "base_url" not in written
        return {**written, "base_url": self.replay.root + self.base_path}

    @functools.cached_property
    def secrets(self) -> list[str]:
        """What of the configuration nobody may read."""
        return list(_secrets(self.config, marks_of(self.specification)))

    @functools.cached_property
    def discovered(self) -> dict[str, JsonObject]:
        """Its streams by name."""
        run = self.run("discover", Script([], self.base_path_of_config()))
        assert run.code == 0, run.told()
        assert not run.asked
        (catalog,) = run.of("CATALOG")
        return {each["name"]: each for each in catalog["streams"]}

    def base_path_of_config(self) -> str:
        """The path of its base URL."""
        assert self.config
        return self.base_path

    def exchanges(self, stream: str) -> list[Exchange]:
        """The stream's sample."""
        written = json.loads((self.path / "samples" / f"{stream}.json").read_text())
        return [Exchange.read(f"{stream}.json[{number}]", each) for number, each in enumerate(written)]

    def configured(self, streams: Sequence[str]) -> JsonObject:
        """The catalog of a read, incremental where that can be."""
        entries = []
        for each in map(self.discovered.__getitem__, streams):
            mode = "incremental" if "incremental" in each["supported_sync_modes"] else "full_refresh"
            entries.append(
                {
                    "stream": each,
                    "sync_mode": mode,
                    "destination_sync_mode": "append",
                    "cursor_field": each.get("default_cursor_field") or [],
                    "primary_key": each.get("source_defined_primary_key") or [],
                }
            )
        return {"streams": entries}

    def run(
        self,
        command: Command,
        api: Any,
        streams: Sequence[str] = (),
        state: Sequence[Mapping[str, Any]] | None = None,
    ) -> Run:
        """One command against an API; nothing of it is kept for the next."""
        config = self.config
        catalog = self.configured(streams) if streams else None
        self.replay.base_path, self.replay.answer, self.replay.asked = self.base_path, api.answer, []
        waits.clear()
        lines: list[bytes] = []
        program = ConnectorProgram(source_type=self.name, version="1", manifest=orjson.loads(self.written))
        cache = tempfile.mkdtemp(prefix="sluice-pages-")
        os.environ["REQUEST_CACHE_PATH"] = cache
        try:
            code = run_connector(program, command, config, catalog, state, lines.append)
        finally:
            shutil.rmtree(cache, ignore_errors=True)
        return Run(code, lines, self.replay.asked, list(waits))

    def reading(self, stream: str) -> Reading:
        """The stream's first read, done once."""
        if stream not in self.readings:
            script = Script(self.exchanges(stream), self.base_path_of_config())
            self.readings[stream] = Reading(self.run("read", script, [stream]), script)
        return self.readings[stream]

    def again(self, stream: str) -> tuple[Run, NothingNew]:
        """A second read with the state of the first, of an API that has nothing new."""
        first = self.reading(stream)
        api = NothingNew(first.script, self.base_path)
        return self.run("read", api, [stream], first.run.state), api

    def refusal(self, *, repeats: bool = False) -> "Refusal":
        """An API that refuses everything; one that `repeats` says the secret that it refused."""
        file = self.path / "samples" / "unauthorized.json"
        return Refusal(repeats, json.loads(file.read_text()) if file.is_file() else None)


@dataclass
class Refusal:
    """Says 401, or what the connector's API says instead."""

    repeats: bool = False
    written: JsonObject | None = None

    def answer(self, asked: Asked) -> Answer:
        """To whatever is asked."""
        if self.written:
            return Exchange.read("unauthorized.json", {"request": {}, "response": self.written}).answer
        given = [value for name, value in asked.headers if name.lower() not in ("host", "user-agent")]
        sentence = " ".join(["Invalid credentials.", *(given if self.repeats else [])])
        return Answer(401, {"error": {"message": sentence}, "message": sentence})


waits: list[float] = []
"""How long a run would have waited."""


def _secrets(value: Any, marks: Any) -> Iterator[str]:
    if marks is True:
        yield from _texts(value)
    elif isinstance(value, list):
        for item in value:
            yield from _secrets(item, marks)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _secrets(item, marks.get(name, marks.get("*", {})))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(item)


def names() -> list[str]:
    """The connectors there are."""
    return sorted(each.parent.name.removeprefix("source-") for each in CONNECTORS.glob("source-*/manifest.yaml"))


def streams(name: str) -> list[str]:
    """The connector's streams that have a sample."""
    files = (CONNECTORS / f"source-{name}" / "samples").glob("*.json")
    return sorted(each.stem for each in files if each.stem not in NOT_STREAMS)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per connector, or per stream that has a sample."""
    if "sample" in metafunc.fixturenames:
        pairs = [(name, stream) for name in names() for stream in streams(name)]
        ids = [f"{name}-{stream}" for name, stream in pairs]
        metafunc.parametrize("connector,sample", pairs, ids=ids, indirect=["connector"])
    elif "connector" in metafunc.fixturenames:
        metafunc.parametrize("connector", names(), indirect=True)


@pytest.fixture(scope="session")
def connectors() -> Iterator[dict[str, Connector]]:
    """Those that were opened."""
    opened: dict[str, Connector] = {}
    yield opened
    for each in opened.values():
        each.replay.stop()


@pytest.fixture
def connector(request: pytest.FixtureRequest, connectors: dict[str, Connector]) -> Connector:
    """The connector that a test is about."""
    name = request.param
    if name not in connectors:
        connectors[name] = Connector(name, Replay())
    return connectors[name]


@pytest.fixture(scope="module", autouse=True)
def process() -> Iterator[None]:
    """A process that is a connector's alone: its clock stands, its waits are short, and afterwards all is as before."""
    from tests.airbyte_connectors.process import standing_still  # airbyte-cdk takes seconds to import

    with standing_still(waits):
        yield


@pytest.fixture
def script(connector: Connector) -> Callable[[Sequence[Exchange]], Script]:
    """Makes an API of exchanges."""
    return lambda exchanges: Script(exchanges, connector.base_path_of_config())
