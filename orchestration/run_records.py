"""A tenant's runs in Dagster's storage: stopped when the tenant goes, deleted when it is erased."""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from orchestration.execution import open_instance
from orchestration.settings import Settings
from orchestration.stack.endpoints import load_endpoints
from orchestration.stack.processes import is_identity_alive

if TYPE_CHECKING:
    from dagster import DagsterInstance, DagsterRun

GRACE_SECONDS = 30.0
"""A run that is told to stop removes its sample first."""
_POLL_SECONDS = 0.2

# What `delete_run` leaves: the newest materialisation per asset is kept once more, metadata and all.
_FORGET = (
    "delete from asset_check_executions where run_id = any(%(runs)s)",
    "update asset_keys set last_materialization = null where last_materialization like any(%(mentions)s)",
    "update asset_keys set cached_status_data = null",
)


def stop_runs(settings: Settings, tenant: str) -> int:
    """End every unfinished run of a tenant in the stack's Dagster; how many there were."""
    with open_instance(settings) as instance:
        return stop_unfinished(instance, tenant)


def stop_unfinished(instance: DagsterInstance, tenant: str, *, grace_seconds: float = GRACE_SECONDS) -> int:
    """End every unfinished run of a tenant, the daemon's and other terminals'; how many there were.

    Each is asked first and has the grace to tidy up; then its process is killed where it is known, and Dagster is
    told that the run was cancelled.
    """
    runs = _runs(instance, tenant, unfinished=True)
    for run in runs:
        _ask_to_stop(instance, run)
    deadline = time.monotonic() + grace_seconds
    while any(map(_may_tidy_up, _still(instance, runs))) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    for run in _still(instance, runs):
        _signal_worker(run, signal.SIGKILL)
        instance.report_run_canceled(run, message="The tenant is removed.")
    return len(runs)


def erase_runs(settings: Settings, tenant: str) -> dict[str, int]:
    """Delete a tenant's runs with their events, checks and output from Dagster's storage; how many, by place."""
    with open_instance(settings) as instance:
        runs = [run.run_id for run in _runs(instance, tenant)]
        storage = Path(instance.storage_directory())
        outputs = [storage / run_id for run_id in runs if (storage / run_id).is_dir()]
        values = {"runs": runs, "mentions": [f"%{run_id}%" for run_id in runs]}
        with psycopg.connect(load_endpoints(settings.home).dagster_url) as connection:
            for statement in _FORGET:
                connection.execute(statement, values)
        for folder in outputs:
            shutil.rmtree(folder)
        for run_id in runs:
            instance.delete_run(run_id)
    return {"dagster runs": len(runs), "dagster output folders": len(outputs)}


def _runs(instance: DagsterInstance, tenant: str, *, unfinished: bool = False) -> list[DagsterRun]:
    from dagster import RunsFilter
    from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
    from dagster._core.storage.tags import PARTITION_NAME_TAG

    statuses = list(NOT_FINISHED_STATUSES) if unfinished else None
    return list(instance.get_runs(RunsFilter(tags={PARTITION_NAME_TAG: tenant}, statuses=statuses)))


def _ask_to_stop(instance: DagsterInstance, run: DagsterRun) -> None:
    from dagster import DagsterError

    if _signal_worker(run, signal.SIGTERM):
        return
    # A code server that is gone cannot be asked; the run then ends at the end of the grace.
    with suppress(DagsterError):
        instance.run_coordinator.cancel_run(run.run_id)


def _signal_worker(run: DagsterRun, number: signal.Signals) -> bool:
    """Signal the process that itself executes the run, as `sluice onboard` does; False where there is none."""
    from orchestration.stack.run_launcher import WORKER_TAG

    worker = run.tags.get(WORKER_TAG)
    if worker is None or not is_identity_alive(worker):
        return False
    with suppress(ProcessLookupError, PermissionError):
        os.kill(int(worker.partition(":")[0]), number)
    return True


def _may_tidy_up(run: DagsterRun) -> bool:
    """Whether waiting for an unfinished run makes sense: its process lives, or nothing is known of it."""
    from orchestration.stack.run_launcher import WORKER_TAG

    worker = run.tags.get(WORKER_TAG)
    return worker is None or is_identity_alive(worker)


def _still(instance: DagsterInstance, runs: list[DagsterRun]) -> list[DagsterRun]:
    found = (instance.get_run_by_id(run.run_id) for run in runs)
    return [run for run in found if run is not None and not run.is_finished]
