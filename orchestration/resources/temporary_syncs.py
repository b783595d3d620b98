"""A sample on an Airbyte without bounds: a temporary connection whose sync is stopped once it has brought enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from analysis.errors import PermanentError, SluiceError
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.airbyte_records import ACTIVE, Connection, Job
from orchestration.resources.airbyte_samples import SampleBudget, SampledStream, chosen
from orchestration.resources.airbyte_sync import start_or_join, told
from orchestration.resources.narrowed_sources import narrowed_copy
from orchestration.tenancy.raw_names import raw_table_name
from orchestration.tenancy.temporary_names import temporary_name

INCREMENTAL, WHOLE = "incremental_append", "full_refresh_append"
"""Appending modes commit rows as they come; an overwrite that is stopped leaves its table as it was."""
STOP_SECONDS = 120.0

CountRows = Callable[[Iterable[str]], Mapping[str, int]]


def sample_by_sync(
    airbyte: AirbyteClient,
    production: Connection,
    schema: str,
    budget: SampleBudget,
    days: int,
    count_rows: CountRows,
) -> list[SampledStream]:
    """Sync a connection's streams into the schema until each has its records, or the bytes or seconds are reached.

    What was made for it is removed whatever happens; rows are what is committed, which may be more than the budget.
    """
    streams = [_appending(each) for each in airbyte.stream_configurations(production.id)]
    tables = {str(each["name"]): raw_table_name(production.prefix, str(each["name"])) for each in streams}
    made = datetime.now(UTC)
    name = temporary_name(schema, production.name, made)
    with _removed_afterwards(airbyte, production.workspace_id, name):
        source_id = narrowed_copy(airbyte, production, name, made - timedelta(days=days)) or production.source_id
        request = _request(name, source_id, production, schema, streams)
        # Plain JSON: the SDK's models cannot carry mappers.
        connection_id = airbyte.call("POST", "/connections", json=request)["connectionId"]
        job = start_or_join(airbyte, connection_id)
        job, is_cut = _watch(airbyte, job, budget, lambda: _enough(count_rows(tables.values()), tables, budget))
        _require_success(job, is_cut)
    rows = count_rows(tables.values())
    missing = sorted(stream for stream, table in tables.items() if table not in rows)
    if missing:
        raise PermanentError(
            f"Airbyte had loaded nothing of {', '.join(missing)} when the sample's {budget.seconds:g} s or"
            f" {budget.bytes} bytes were reached; raise SLUICE_SAMPLE_SECONDS or SLUICE_SAMPLE_BYTES.",
            connection=production.name,
            **({"job": told(job)} if job.failure else {}),
        )
    return [SampledStream(stream, rows[table], is_cut) for stream, table in tables.items()]


def remove_named(airbyte: AirbyteClient, workspace_id: str, is_meant: Callable[[str], bool]) -> list[str]:
    """Stop and remove the connections, then the sources, whose names are meant; their names."""
    removed = []
    for connection in airbyte.connections(workspace_id):
        if is_meant(connection.name):
            _stop(airbyte, connection.id)
            airbyte.delete_connection(connection.id)
            removed.append(connection.name)
    for source in airbyte.sources(workspace_id):
        if is_meant(source.name):
            airbyte.delete_source(source.id)
            removed.append(source.name)
    return removed


@contextmanager
def _removed_afterwards(airbyte: AirbyteClient, workspace_id: str, name: str) -> Iterator[None]:
    """By name, so that what was made by a request whose answer was lost goes too."""
    try:
        yield
    except BaseException:
        with suppress(SluiceError):  # what went wrong first is what is told; a sweep finds the rest
            remove_named(airbyte, workspace_id, lambda found: found == name)
        raise
    remove_named(airbyte, workspace_id, lambda found: found == name)


def _appending(stream: Mapping[str, Any]) -> dict[str, Any]:
    mode = INCREMENTAL if str(stream.get("syncMode", "")).startswith("incremental") else WHOLE
    cursor = {"cursorField": stream["cursorField"]} if stream.get("cursorField") else {}
    return {**chosen(stream), **cursor, "syncMode": mode}


def _request(
    name: str, source_id: str, production: Connection, schema: str, streams: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    return {
        "name": name,
        "sourceId": source_id,
        "destinationId": production.destination_id,
        "schedule": {"scheduleType": "manual"},
        "namespaceDefinition": "custom_format",
        "namespaceFormat": schema,
        "prefix": production.prefix,
        "nonBreakingSchemaUpdatesBehavior": "ignore",
        "configurations": {"streams": list(streams)},
    }


def _enough(rows: Mapping[str, int], tables: Mapping[str, str], budget: SampleBudget) -> bool:
    return all(rows.get(table, 0) >= budget.records for table in tables.values())


def _watch(airbyte: AirbyteClient, job: Job, budget: SampleBudget, is_enough: Callable[[], bool]) -> tuple[Job, bool]:
    """The job once it has ended, and whether it was stopped for having brought enough."""
    deadline = time.monotonic() + budget.seconds
    while job.status in ACTIVE:
        if time.monotonic() > deadline or _read_bytes(airbyte, job) >= budget.bytes or is_enough():
            return _stop(airbyte, job.connection_id) or job, True
        time.sleep(airbyte.poll_seconds)
        job = airbyte.job(job.id)
    return job, False


def _read_bytes(airbyte: AirbyteClient, job: Job) -> int:
    """As far as Airbyte tells: the public API counts at the end only, the config API as it goes."""
    counts = airbyte.stream_counts(job.id)
    return max(job.bytes, sum(each.bytes for each in counts.values()))


def _stop(airbyte: AirbyteClient, connection_id: str) -> Job | None:
    """Cancel what runs on a connection and wait for its end, for until then it writes; the newest job."""
    deadline = time.monotonic() + STOP_SECONDS
    airbyte.cancel_active(connection_id)
    while True:
        jobs = airbyte.jobs(connection_id)
        if not any(job.status in ACTIVE for job in jobs) or time.monotonic() > deadline:
            return max(jobs, key=lambda job: job.id, default=None)
        time.sleep(airbyte.poll_seconds)


def _require_success(job: Job, is_cut: bool) -> None:
    if job.status != "succeeded" and not (is_cut and job.status == "cancelled"):
        raise PermanentError(told(job))
