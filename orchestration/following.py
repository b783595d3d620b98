"""Runs that Dagster's daemon began for a tenant: found, and followed to their end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import PermanentError
from orchestration.stack.orchestrator import running_port

if TYPE_CHECKING:
    from dagster import DagsterInstance

POLL_SECONDS = 1.0


def find_daemon_run(instance: DagsterInstance, home: Path, job: str, tenant: str) -> str | None:
    """The id of an unfinished run of the job for the tenant that the daemon began; None when the daemon is down."""
    from dagster import RunsFilter
    from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
    from dagster._core.storage.tags import PARTITION_NAME_TAG

    from orchestration.stack.run_launcher import WORKER_TAG

    if running_port(home) is None:
        return None
    wanted = RunsFilter(job_name=job, tags={PARTITION_NAME_TAG: tenant}, statuses=list(NOT_FINISHED_STATUSES))
    return next((run.run_id for run in instance.get_runs(wanted) if WORKER_TAG not in run.tags), None)


def follow_run(instance: DagsterInstance, run_id: str) -> None:
    """Wait for a run's end; a PermanentError when it did not succeed."""
    while True:
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            break
        time.sleep(POLL_SECONDS)
    if run is None or not run.is_success:
        raise PermanentError("The daemon's run failed; its log is in the Dagster UI.", run=run_id)
