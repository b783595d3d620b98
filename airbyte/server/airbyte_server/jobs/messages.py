"""What the server tells a job's process, and what that answers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airbyte_server.connectors.limits import ConnectorLimits
from airbyte_server.connectors.program import ConnectorProgram
from airbyte_server.jobs.budgets import Budget
from airbyte_server.loader import StreamOutcome, StreamTarget

CLEARING = ("reset", "clear")
"""Job types that empty the tables; `reset` is Airbyte's older word."""
REFRESH = "refresh"
"""The job type that reads everything anew and replaces what was there."""

JsonObject = dict[str, Any]
StreamKey = tuple[str | None, str]


@dataclass(frozen=True, kw_only=True)
class JobOrder:
    """Everything that a job's process needs; it holds secrets and is never logged or stored."""

    job_id: int
    attempt: int
    connection_id: str
    source_id: str = ""
    program: ConnectorProgram
    configuration: JsonObject = field(repr=False)
    configured_catalog: JsonObject
    targets: Sequence[StreamTarget]
    states: Sequence[JsonObject]
    state_version: str | None
    """Of the states in the destination when the job was planned; None where none are read or kept."""
    destination: str = field(repr=False)
    staging_schema: str
    budget: Budget | None
    """Of a sample, which neither uses nor keeps states."""
    secrets: Sequence[str] = field(repr=False)
    notices: Sequence[str] = ()
    """What the job's log should say of the source's schema."""
    limits: ConnectorLimits = field(default_factory=ConnectorLimits)


@dataclass(frozen=True, kw_only=True)
class ClearOrder:
    """Which tables a job empties; it holds secrets and is never logged or stored."""

    job_id: int
    attempt: int
    connection_id: str
    targets: Sequence[StreamTarget]
    destination: str = field(repr=False)
    staging_schema: str
    secrets: Sequence[str] = field(repr=False)
    notices: Sequence[str] = ()


@dataclass(frozen=True)
class Report:
    """What a job's process tells the server: progress, or how it ended."""

    kind: str  # progress, log, renewed, done, failed
    text: str = ""
    level: str = "INFO"
    streams: Sequence[JsonObject] = ()
    retryable: bool = False
    fields: JsonObject = field(default_factory=dict, repr=False)
    """Of the source's configuration, as its connector renewed them."""


def stream_stats(
    outcomes: Mapping[StreamKey, StreamOutcome], cut: Collection[StreamKey] | None = None
) -> list[JsonObject]:
    """The counts of each stream in the configuration API's words; of a sample with the streams that it cut."""
    return [
        {
            "streamName": outcome.stream,
            **({"streamNamespace": outcome.source_namespace} if outcome.source_namespace else {}),
            "complete": outcome.complete,
            **({} if cut is None else {"cut": key in cut}),
            "stats": {
                "recordsEmitted": outcome.records_emitted,
                "bytesEmitted": outcome.bytes_emitted,
                "recordsCommitted": outcome.records_emitted - outcome.rows_filtered
                if outcome.complete
                else outcome.rows_written + outcome.duplicates,
                "rowsWritten": outcome.rows_written,
                "duplicates": outcome.duplicates,
                "recordsFilteredOut": outcome.rows_filtered,
            },
        }
        for key, outcome in outcomes.items()
    ]
