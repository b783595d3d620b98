"""Run one Airbyte sync to its end through dagster-airbyte's client, joining a job that already runs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_airbyte.resources import AirbyteClient

from analysis.errors import PermanentError, RetryableError
from orchestration.resources.airbyte_client import Airbyte, Job

RECORD_LIMIT_HEADER = "X-Sluice-Record-Limit"
"""The embedded server stops each stream of a job at this many records; a real Airbyte ignores the header."""

# A label of dagster-airbyte's that nobody at the command line can do anything about.
warnings.filterwarnings("ignore", message="Class `AirbyteClient` is currently in beta", category=dg.BetaWarning)


class LimitedAirbyteClient(AirbyteClient):
    """dagster-airbyte's client that can ask for a bounded sync."""

    record_limit: int | None = None

    @property
    def all_additional_request_headers(self) -> Mapping[str, Any]:
        """The client's headers, and the limit where there is one."""
        headers = dict(super().all_additional_request_headers)
        if self.record_limit is not None:
            headers[RECORD_LIMIT_HEADER] = str(self.record_limit)
        return headers


def sync_connection(
    airbyte: Airbyte, workspace_id: str, connection_id: str, *, seconds: float, record_limit: int | None = None
) -> Job:
    """Sync one connection of one workspace and return its finished job; a failed job's reason is in the error.

    A time-out cancels the job. The connection is asserted to be the workspace's: a sync of another tenant's
    connection is refused before it starts.
    """
    if connection_id not in {connection.id for connection in airbyte.connections(workspace_id)}:
        raise PermanentError(
            "The connection is not of the tenant's workspace; run `sluice tenant show`.",
            workspace=workspace_id,
            connection=connection_id,
        )
    client = LimitedAirbyteClient(
        **airbyte.login(),
        workspace_id=workspace_id,
        request_max_retries=3,
        request_retry_delay=0.5,
        request_timeout=60,
        poll_interval=airbyte.poll_seconds,
        poll_timeout=seconds,
        poll_previous_running_sync=True,
        record_limit=record_limit,
    )
    try:
        details = client.sync_and_poll(connection_id).job_details
    except dg.Failure as failure:
        raise _explain(airbyte, connection_id, failure) from failure
    return airbyte.job(int(details["jobId"]))


def _explain(airbyte: Airbyte, connection_id: str, failure: dg.Failure) -> Exception:
    job = airbyte.last_job(connection_id)
    if job is not None and job.status in ("failed", "cancelled"):
        reason = job.failure or "Airbyte gives no reason; see the job's log there."
        return PermanentError(f"Airbyte job {job.id} {job.status}: {reason}")
    return RetryableError(f"The sync did not end: {failure.description}", connection=connection_id)
