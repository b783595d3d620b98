"""What the server tells a job's process, and what that answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airbyte_server.loader import StreamOutcome, StreamTarget

JsonObject = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class JobOrder:
    """Everything that a job's process needs; it holds secrets and is never logged or stored."""

    job_id: int
    connection_id: str
    source_type: str
    configuration: JsonObject = field(repr=False)
    configured_catalog: JsonObject
    targets: Sequence[StreamTarget]
    states: Sequence[JsonObject]
    destination: str = field(repr=False)
    staging_schema: str
    state_database: str = field(repr=False)
    record_limit: int | None
    secrets: Sequence[str] = field(repr=False)


@dataclass(frozen=True)
class Report:
    """What a job's process tells the server: progress, or how it ended."""

    kind: str  # progress, log, done, failed
    text: str = ""
    level: str = "INFO"
    streams: Sequence[JsonObject] = ()


def stream_stats(outcomes: Mapping[tuple[str | None, str], StreamOutcome]) -> list[JsonObject]:
    """The counts of each stream in the configuration API's words."""
    return [
        {
            "streamName": outcome.stream,
            **({"streamNamespace": outcome.source_namespace} if outcome.source_namespace else {}),
            "complete": outcome.complete,
            "stats": {
                "recordsEmitted": outcome.records_emitted,
                "bytesEmitted": outcome.bytes_emitted,
                "recordsCommitted": outcome.records_emitted
                if outcome.complete
                else outcome.rows_written + outcome.duplicates,
                "rowsWritten": outcome.rows_written,
                "duplicates": outcome.duplicates,
            },
        }
        for outcome in outcomes.values()
    ]
