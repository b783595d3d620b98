"""Run a Dagster job for one tenant in this process, recorded in Dagster's storage like any other run."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from analysis.errors import PermanentError, RetryableError
from orchestration.following import find_daemon_run, follow_run
from orchestration.settings import Settings
from orchestration.stack.endpoints import load_endpoints
from orchestration.stack.orchestrator import LOCATION, environment
from orchestration.stack.ports import HOST

if TYPE_CHECKING:
    from dagster import DagsterInstance, ExecuteInProcessResult
    from dagster_shared.error import SerializableErrorInfo

Report = Callable[[str], None]
PARTITIONS = "tenant"
"""The name of `orchestration.partitions.tenants`, whose import would cost Dagster's."""
POLL_SECONDS = 0.5


def run_job(settings: Settings, job: str, tenant: str, report: Report, assets: Sequence[str] | None = None) -> None:
    """Run a job, or some of its assets, for one tenant; a failed step's sentence is a PermanentError.

    A run of the whole job that Dagster's daemon has begun for the tenant is followed to its end instead.
    """
    with open_instance(settings) as instance:
        import dagster as dg

        begun = find_daemon_run(instance, settings.home, job, tenant) if assets is None else None
        if begun is not None:
            report(f"Dagster's daemon is at it already, following its run {begun[:8]}")
            with _StepReporter(instance, begun, report):
                follow_run(instance, begun)
            return

        from orchestration.definitions import defs
        from orchestration.stack.run_launcher import worker_tags

        selection = [dg.AssetKey.from_user_string(key) for key in assets] if assets else None
        instance.add_dynamic_partitions(PARTITIONS, [tenant])
        _locate_runs(instance, job)
        run_id = str(uuid4())
        with _storage_in_words(), _StepReporter(instance, run_id, report):
            result = defs.resolve_job_def(job).execute_in_process(
                instance=instance,
                partition_key=tenant,
                asset_selection=selection,
                run_id=run_id,
                tags=worker_tags(),
                raise_on_error=False,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        if not result.success:
            raise _failure(result, tenant)


def _locate_runs(instance: DagsterInstance, job: str) -> None:
    """Let the UI's timeline and pages of jobs find the runs that this process makes: they look by code location."""
    from functools import partial

    from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
    from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

    location = GrpcServerCodeLocationOrigin(host=HOST, port=0, location_name=LOCATION)
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME), job)
    # `execute_in_process` has no other way to say so.
    create = partial(instance.create_run_for_job, remote_job_origin=origin)
    instance.create_run_for_job = create  # type: ignore[method-assign]


def add_partition(settings: Settings, tenant: str) -> None:
    """Let the Dagster UI offer the tenant; one that is offered already stays."""
    with open_instance(settings) as instance:
        instance.add_dynamic_partitions(PARTITIONS, [tenant])


def delete_partition(settings: Settings, tenant: str) -> None:
    """Take the tenant out of the Dagster UI; its runs stay in the history."""
    with open_instance(settings) as instance:
        instance.delete_dynamic_partition(PARTITIONS, tenant)


@contextmanager
def open_instance(settings: Settings) -> Iterator[DagsterInstance]:
    """The stack's Dagster instance; the environment of this process becomes the stack's."""
    os.environ.update(environment(settings.home, load_endpoints(settings.home).dagster_url))
    from dagster import DagsterInstance

    with DagsterInstance.get() as instance:
        yield instance


@contextmanager
def _storage_in_words() -> Iterator[None]:
    """A lost storage of Dagster's as a sentence; its client's retries, of four lines each, stay off the terminal."""
    root = logging.getLogger()
    root.addFilter(_is_no_retry)
    try:
        yield
    except _storage_errors() as error:
        raise RetryableError("Dagster's storage did not answer; see `sluice doctor`, then run again.") from error
    finally:
        root.removeFilter(_is_no_retry)


def _storage_errors() -> tuple[type[Exception], ...]:
    from dagster_postgres.utils import DagsterPostgresException
    from sqlalchemy.exc import OperationalError

    return DagsterPostgresException, OperationalError


def _is_no_retry(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("Retrying failed database connection")


def _failure(result: ExecuteInProcessResult, tenant: str) -> PermanentError:
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data and data.user_failure_data.description:
                return PermanentError(data.user_failure_data.description)
            if data.error:
                return PermanentError(f"Step {event.step_key} failed: {data.error.message.strip()}", tenant=tenant)
    for event in result.all_events:
        error: SerializableErrorInfo | None = getattr(event.event_specific_data, "error", None)
        if event.is_failure and error:
            # A resource that refused: the cause carries our sentence behind the name of its class.
            return PermanentError((error.cause or error).message.strip().split(": ", 1)[-1])
    return PermanentError("The run failed; see its log in the Dagster UI.", tenant=tenant, run=result.run_id)


class _StepReporter:
    """Tells which step a run is at, read from the run's own events, until the run ends."""

    def __init__(self, instance: DagsterInstance, run_id: str, report: Report) -> None:
        self._instance, self._run_id, self._report = instance, run_id, report
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        from dagster import DagsterEventType

        seen: set[str] = set()
        while not self._ended.wait(POLL_SECONDS):
            try:
                started = self._instance.all_logs(self._run_id, of_type=DagsterEventType.STEP_START)
            except _storage_errors():
                return  # the run meets the same storage, and says so
            for entry in started:
                step = entry.step_key
                if step and step not in seen:
                    seen.add(step)
                    self._report(step.replace("__", "/"))
