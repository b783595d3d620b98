"""Every connector of airbyte/connectors, run against what its samples say."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from airbyte_kit.connector import CONNECTORS, Connector
from airbyte_kit.replay.exchanges import Exchange, JsonObject
from airbyte_kit.replay.scripts import NothingNew, Refusal, Script
from airbyte_kit.replay.server import Replay
from airbyte_kit.running.following import Bounds
from airbyte_kit.running.forker import Forker, forker
from airbyte_kit.running.run import Run
from airbyte_kit.session import Session
from airbyte_kit.steps.describing import streams_of
from airbyte_kit.steps.replaying import Samples
from airbyte_server.connectors.program import Command


@dataclass
class Reading:
    """A full read of a stream, and the exchanges it went through."""

    run: Run
    script: Script


@dataclass
class Replayed:
    """One connector and its replayed API; what takes long is done once."""

    connector: Connector
    samples: Samples

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connector, name)

    @property
    def config(self) -> JsonObject:
        """The fake configuration, for the replayed API."""
        return self.samples.session.configuration

    @property
    def secrets(self) -> list[str]:
        """What of the configuration nobody may read."""
        return self.connector.secrets(self.config)

    @functools.cached_property
    def discovered(self) -> dict[str, JsonObject]:
        """Its streams by name."""
        run = self.samples.run("discover", Script([], self.connector.base_path))
        assert run.code == 0, run.told()
        assert not run.asked
        self.samples.session.discovered = streams_of(run)
        return self.samples.session.discovered

    def run(
        self, command: Command, api: Any, streams: Sequence[str] = (), state: Sequence[Mapping[str, Any]] = ()
    ) -> Run:
        """One command against an API; nothing of it is kept for the next."""
        assert self.discovered
        return self.samples.run(command, api, streams, [dict(each) for each in state])

    def reading(self, stream: str) -> Reading:
        """The stream's first read, done once."""
        assert self.discovered
        if stream not in self.samples.first:
            self.samples.read(stream)
        return Reading(self.samples.first[stream], self.samples.scripts[stream])

    def again(self, stream: str) -> tuple[Run, NothingNew]:
        """A second read with the state of the first, of an API that has nothing new."""
        self.reading(stream)
        return self.samples.again(stream)

    def refusal(self, *, repeats: bool = False) -> Refusal:
        """An API that refuses everything."""
        return self.connector.refusal(repeats=repeats)


def names() -> list[str]:
    """The connectors there are."""
    return sorted(each.parent.name.removeprefix("source-") for each in CONNECTORS.glob("source-*/manifest.yaml"))


def opened(name: str) -> Connector:
    """The folder of a name."""
    return Connector(CONNECTORS / f"source-{name}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per connector, or per stream that has a sample."""
    if "sample" in metafunc.fixturenames:
        pairs = [(name, stream) for name in names() for stream in opened(name).sampled]
        ids = [f"{name}-{stream}" for name, stream in pairs]
        metafunc.parametrize("connector,sample", pairs, ids=ids, indirect=["connector"])
    elif "connector" in metafunc.fixturenames:
        metafunc.parametrize("connector", names(), indirect=True)


@pytest.fixture(scope="session")
def forks() -> Iterator[Forker]:
    """A process that runs connectors, each in one of its own."""
    with forker() as started:
        yield started


@pytest.fixture(scope="session")
def replayed(forks: Forker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Replayed]]:
    """Opens a connector once."""
    known: dict[str, Replayed] = {}
    scratch: Path = tmp_path_factory.mktemp("scratch")

    def open_once(name: str) -> Replayed:
        if name not in known:
            connector, replay = opened(name), Replay()
            config = connector.sample_configuration(replay.root)
            session = Session(connector, forks, config, "standing", Bounds(), scratch)
            known[name] = Replayed(connector, Samples(session, replay))
        return known[name]

    yield open_once
    for each in known.values():
        each.samples.replay.stop()


@pytest.fixture
def connector(request: pytest.FixtureRequest, replayed: Callable[[str], Replayed]) -> Replayed:
    """The connector that a test is about."""
    return replayed(request.param)


@pytest.fixture
def script(connector: Replayed) -> Callable[[Sequence[Exchange]], Script]:
    """Makes an API of exchanges."""
    return lambda exchanges: Script(exchanges, connector.connector.base_path)
