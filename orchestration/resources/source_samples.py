"""A bounded sample of a connection's source: the server bounds it where it can, else a sync is watched and stopped."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass

from analysis.errors import PermanentError, RetryableError
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.airbyte_records import Connection
from orchestration.resources.airbyte_samples import SampleBudget, SampledStream, SampleJob, SampleRequest, chosen
from orchestration.resources.airbyte_sync import CONFLICT, LOST_POLLS, POSTS, told
from orchestration.resources.temporary_syncs import CountRows, sample_by_sync


@dataclass(frozen=True, kw_only=True)
class SampleBounds:
    """How much is read of each source, how long the server may keep it waiting, and since when records matter."""

    budget: SampleBudget
    patience_seconds: float
    days: int


def sample_connection(
    airbyte: AirbyteClient,
    production: Connection,
    schema: str,
    bounds: SampleBounds,
    count_rows: CountRows,
) -> list[SampledStream]:
    """Sample every stream of a connection into the schema; what of it reached the budget is no failure.

    `count_rows` tells the rows of those tables of it that are there; a server that bounds samples needs it not.
    """
    if not airbyte.bounds_samples:
        return sample_by_sync(airbyte, production, schema, bounds.budget, bounds.days, count_rows)
    configured = airbyte.stream_configurations(production.id)
    request = SampleRequest(
        workspace_id=production.workspace_id,
        source_id=production.source_id,
        destination_id=production.destination_id,
        schema=schema,
        prefix=production.prefix,
        streams=[chosen(each) for each in configured],
    )
    sample = _start(airbyte, request, bounds.budget)
    try:
        sample = _wait(airbyte, sample, time.monotonic() + bounds.patience_seconds)
    except BaseException:
        with suppress(PermanentError, RetryableError):
            airbyte.cancel(sample.job.id)
        raise
    if sample.job.status != "succeeded":
        raise PermanentError(told(sample.job))
    return list(sample.streams)


def _start(airbyte: AirbyteClient, request: SampleRequest, budget: SampleBudget) -> SampleJob:
    failure: Exception | None = None
    for _ in range(POSTS):
        try:
            return airbyte.post_sample(request, budget)
        except PermanentError as error:
            if error.keys.get("status") != CONFLICT:
                raise
            failure = error
        except RetryableError as error:
            failure = error
        # An answer that was lost may have begun a sample, which is ours: whoever samples holds the tenant's lock.
        for each in airbyte.active_samples(request.workspace_id):
            if (each.source_id, each.schema) == (request.source_id, request.schema):
                return each
        time.sleep(airbyte.poll_seconds)
    raise failure or AssertionError("no attempt")


def _wait(airbyte: AirbyteClient, sample: SampleJob, deadline: float) -> SampleJob:
    lost = 0
    while sample.is_active:
        if time.monotonic() > deadline:
            raise RetryableError(f"The sample did not end: Airbyte job {sample.job.id} ran into its time limit.")
        time.sleep(airbyte.poll_seconds)
        try:
            sample, lost = airbyte.sample(sample.job.id), 0
        except RetryableError:
            lost += 1
            if lost > LOST_POLLS:
                raise
    return sample
