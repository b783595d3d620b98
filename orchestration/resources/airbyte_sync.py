"""Run one Airbyte sync to its end, joining a job that already runs and never starting a second one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from analysis.errors import PermanentError, RetryableError
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.airbyte_records import ACTIVE, Connection, Job

POSTS = 3
LOST_POLLS = 3
CONFLICT = 409


def sync_connection(
    airbyte: AirbyteClient,
    workspace_id: str,
    connection_id: str,
    *,
    namespace: str,
    seconds: float,
    on_end: Callable[[Job], None] | None = None,
) -> Job:
    """Sync one connection of a tenant's workspace and namespace; its finished job, or an error with the job's reason.

    A connection of another workspace or namespace is refused before anything starts; a time-out cancels the job.
    `on_end` is told the job once it has ended by itself, also one that failed.
    """
    require_own(airbyte, workspace_id, connection_id, namespace)
    deadline = time.monotonic() + seconds
    job = start_or_join(airbyte, connection_id)
    try:
        job = _wait(airbyte, job, deadline)
    except BaseException:
        with suppress(PermanentError, RetryableError):
            airbyte.cancel(job.id)
        raise
    if on_end is not None:
        on_end(job)
    if job.status == "succeeded":
        return job
    raise PermanentError(told(job))


def told(job: Job) -> str:
    """How a job ended that did not succeed, in a sentence."""
    reason = job.failure or "Airbyte gives no reason; see the job's log there."
    return f"Airbyte job {job.id} {job.status}: {reason}"


def require_own(airbyte: AirbyteClient, workspace_id: str, connection_id: str, namespace: str) -> Connection:
    """The connection of this id; a PermanentError where it is another workspace's or writes to another namespace."""
    connection = airbyte.connection(connection_id)
    if connection.workspace_id != workspace_id:
        raise PermanentError(
            "The connection is not of the tenant's workspace; run `sluice tenant show`.",
            workspace=workspace_id,
            connection=connection_id,
        )
    if connection.namespace != namespace:
        raise PermanentError(
            "The connection does not write to its tenant's namespace; set its namespace format.",
            connection=connection_id,
            namespace=connection.namespace,
            expected=namespace,
        )
    return connection


def start_or_join(airbyte: AirbyteClient, connection_id: str) -> Job:
    """The job that runs on a connection, or a new one; never a second one."""
    before = airbyte.jobs(connection_id)
    running = _newest(job for job in before if job.status in ACTIVE)
    if running is not None:
        return running
    known = {job.id for job in before}
    for attempt in range(1, POSTS + 1):
        try:
            return airbyte.post_job(connection_id)
        except PermanentError as error:
            if error.keys.get("status") != CONFLICT:
                raise
            failure: Exception = RetryableError(
                "Another job than a sync holds the connection; try again.", connection=connection_id
            )
        except RetryableError as error:
            failure = error
        # A job that began is known by its id, which was not there before, even if it has ended since.
        begun = _newest(job for job in airbyte.jobs(connection_id) if job.id not in known)
        if begun is not None:
            return begun
        if attempt < POSTS:
            time.sleep(airbyte.poll_seconds)
    raise failure


def _newest(jobs: Iterable[Job]) -> Job | None:
    return max(jobs, key=lambda job: job.id, default=None)


def _wait(airbyte: AirbyteClient, job: Job, deadline: float) -> Job:
    lost = 0
    while job.status in ACTIVE:
        if time.monotonic() > deadline:
            raise RetryableError(
                f"The sync did not end: Airbyte job {job.id} ran into its time limit.", connection=job.connection_id
            )
        time.sleep(airbyte.poll_seconds)
        try:
            job, lost = airbyte.job(job.id), 0
        except RetryableError:
            lost += 1
            if lost > LOST_POLLS:
                raise
    return job
