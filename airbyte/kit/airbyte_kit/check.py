"""The check that every connector must pass, step by step."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from airbyte_kit.choosing import subject_of
from airbyte_kit.connector import Connector
from airbyte_kit.examination import Examination
from airbyte_kit.findings import Finding
from airbyte_kit.replay.exchanges import JsonObject
from airbyte_kit.replay.server import replay_server
from airbyte_kit.running.forker import Forker, forker
from airbyte_kit.subjects import Subject


def examined(
    folder: Path,
    configuration: JsonObject | None = None,
    *,
    document: Path | None = None,
    streams: Sequence[str] | None = None,
) -> Iterator[Finding]:
    """The findings as they come, none of which says a secret of a configuration."""
    connector = Connector(folder.resolve())
    with forker() as forks, subject_of(connector, configuration, document) as subject:
        yield from examined_against(connector, subject, forks, streams)


def examined_against(
    connector: Connector, subject: Subject | None, forks: Forker, streams: Sequence[str] | None = None
) -> Iterator[Finding]:
    """The same, against one API, or against samples alone; `forks` runs the connector."""
    with ExitStack() as open_things:
        scratch = Path(open_things.enter_context(tempfile.TemporaryDirectory(prefix="sluice-check-")))
        replay = open_things.enter_context(replay_server()) if connector.sampled else None
        yield from Examination(connector, forks, subject, replay, scratch, streams).findings()
