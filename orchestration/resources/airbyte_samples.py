"""Samples that the server bounds itself: the embedded one has an endpoint for them, a full Airbyte has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx

from analysis.errors import RetryableError
from orchestration.resources.airbyte_records import ACTIVE, Job, parse_job
from orchestration.resources.airbyte_session import AirbyteSession

PAGE = 100


@dataclass(frozen=True, kw_only=True)
class SampleBudget:
    """The most records of each stream, and of one source's streams together the most bytes and seconds of reading."""

    records: int
    bytes: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class SampleRequest:
    """Which streams of a source are sampled, with which of their fields, and where they go."""

    workspace_id: str
    source_id: str
    destination_id: str
    schema: str
    prefix: str
    streams: Sequence[Mapping[str, Any]]
    """As a connection configures them."""


@dataclass(frozen=True)
class SampledStream:
    """How many records of a stream a sample holds, and whether the budget cut it: then there may be more."""

    name: str
    records: int
    is_cut: bool


@dataclass(frozen=True)
class SampleJob:
    """A sample that the server runs, and what it has of each stream."""

    job: Job
    schema: str
    source_id: str
    streams: Sequence[SampledStream]

    @property
    def is_active(self) -> bool:
        """Whether it goes on."""
        return self.job.status in ACTIVE


class Samples(AirbyteSession):
    """Ask for bounded samples, where the server has them."""

    @property
    def _samples_url(self) -> str:
        return f"{self.root_url}/api/embedded/v1/samples"

    @cached_property
    def bounds_samples(self) -> bool:
        """Whether the server has the endpoint; asked once. A web page in its place is none."""
        try:
            answer = httpx.get(self._samples_url, params={"limit": 1}, auth=self._http.auth, timeout=self._timeout)
        except httpx.TransportError as error:
            raise RetryableError(
                f"Airbyte at {self.root_url} does not answer; check `sluice status`.", cause=type(error).__name__
            ) from error
        if answer.status_code == 429 or answer.status_code >= 500:
            raise RetryableError("Airbyte does not say whether it has samples; try again.", status=answer.status_code)
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        return answer.status_code == 200 and is_json and "data" in answer.json()

    def post_sample(self, request: SampleRequest, budget: SampleBudget) -> SampleJob:
        """Ask once for a sample; an error says nothing of whether it began."""
        body = {
            "sourceId": request.source_id,
            "destinationId": request.destination_id,
            "schema": request.schema,
            "prefix": request.prefix,
            "streams": list(request.streams),
            "recordsPerStream": budget.records,
            "bytes": budget.bytes,
            "seconds": budget.seconds,
        }
        return _parse(self.call("POST", self._samples_url, json=body))

    def sample(self, job_id: int) -> SampleJob:
        """A sample as it is now."""
        return _parse(self.call("GET", f"{self.root_url}/api/embedded/v1/jobs/{job_id}"))

    def active_samples(self, workspace_id: str) -> list[SampleJob]:
        """The samples of a workspace that go on, newest first; none where the server has no such thing."""
        if not self.bounds_samples:
            return []
        params = {"workspaceIds": workspace_id, "status": list(ACTIVE), "limit": PAGE}
        return [_parse(each) for each in self.call("GET", self._samples_url, params=params)["data"]]


def chosen(stream: Mapping[str, Any]) -> dict[str, Any]:
    """What a sample takes over of a connection's stream: which it is, and which of its fields in what form."""
    taken = {name: stream[name] for name in ("name", "namespace", "selectedFields") if stream.get(name)}
    mappers = [{name: each[name] for name in each if name != "id"} for each in stream.get("mappers") or ()]
    return {**taken, "mappers": mappers} if mappers else taken


def _parse(body: Mapping[str, Any]) -> SampleJob:
    streams = [
        SampledStream(each["streamName"], int(each["recordsCommitted"]), bool(each.get("cut")))
        for each in body["streams"]
    ]
    return SampleJob(parse_job(body), body.get("schema", ""), body.get("sourceId", ""), streams)
