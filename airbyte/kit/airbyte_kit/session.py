"""Runs the commands of one connector with one configuration, and keeps what each said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from airbyte_server.connectors.program import Command
from airbyte_server.connectors.starting import ConnectorCall

from airbyte_kit.connector import Connector
from airbyte_kit.replay.exchanges import JsonObject
from airbyte_kit.running.following import Bounds
from airbyte_kit.running.forker import Forker, Order, Pace
from airbyte_kit.running.run import Run
from airbyte_kit.running.watching import Injected


@dataclass
class Session:
    """Each command is a process of its own."""

    connector: Connector
    forker: Forker
    configuration: JsonObject = field(repr=False)
    pace: Pace
    bounds: Bounds
    scratch: Path
    discovered: dict[str, JsonObject] = field(default_factory=dict)
    """Streams by name, once they are known."""
    runs: list[Run] = field(default_factory=list)
    """All that was said, to be searched for secrets."""

    def run(
        self,
        command: Command,
        streams: Sequence[str] = (),
        states: Sequence[JsonObject] = (),
        *,
        manifest: JsonObject | None = None,
        injected: Injected | None = None,
        configuration: JsonObject | None = None,
    ) -> Run:
        """One command; a read is of these streams."""
        call = ConnectorCall(
            program=self.connector.program(self.scratch, manifest),
            command=command,
            configuration=self.configuration if configuration is None else configuration,
            configured_catalog=configured(self.discovered, streams) if streams else None,
            states=states,
        )
        run = self.forker.run(Order(call=call, pace=self.pace, bounds=self.bounds, injected=injected))
        self.runs.append(run)
        return run

    def is_incremental(self, stream: str) -> bool:
        """Whether it can be read by a cursor."""
        return "incremental" in self.discovered[stream]["supported_sync_modes"]


def configured(discovered: Mapping[str, JsonObject], streams: Sequence[str]) -> JsonObject:
    """The catalog of a read, incremental where that can be."""
    entries = []
    for each in map(discovered.__getitem__, streams):
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
