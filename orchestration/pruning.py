"""Old runs taken out of Dagster's storage: what the UI shows of the past, never a tenant's data."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.execution import open_instance
from orchestration.settings import Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

BATCH = 500


def prune_runs(settings: Settings, days: int) -> int:
    """Delete the ended runs that are older, with their events and output, but each job's newest of a tenant."""
    before = datetime.now(UTC) - timedelta(days=days)
    with open_instance(settings) as instance:
        storage = Path(instance.storage_directory())
        old = old_runs(instance, before)
        for run_id in old:
            shutil.rmtree(storage / run_id, ignore_errors=True)
            instance.delete_run(run_id)
    return len(old)


def old_runs(instance: DagsterInstance, before: datetime) -> list[str]:
    """The ended runs from before this moment, newest first, without each job's newest of a tenant."""
    from dagster import RunsFilter
    from dagster._core.storage.tags import PARTITION_NAME_TAG

    old: list[str] = []
    newest: set[tuple[str, str | None]] = set()
    cursor: str | None = None
    while records := instance.get_run_records(RunsFilter(), limit=BATCH, cursor=cursor):  # newest first
        for record in records:
            run = record.dagster_run
            what = run.job_name, run.tags.get(PARTITION_NAME_TAG)
            if what in newest and run.is_finished and record.create_timestamp < before:
                old.append(run.run_id)
            newest.add(what)
        cursor = records[-1].dagster_run.run_id
    return old
