"""What Sluice asks of an Airbyte, embedded or not: one class over the public API and two config-API calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from analysis.errors import PermanentError, RetryableError
from orchestration.resources.airbyte_http import open_client
from orchestration.resources.airbyte_paging import read_pages
from orchestration.resources.airbyte_records import (
    ACTIVE,
    ConfiguredStream,
    Connection,
    Job,
    Named,
    parse_connection,
    parse_job,
    parse_stream,
)
from orchestration.resources.airbyte_retries import ONCE, Patience
from orchestration.stack.endpoints import Endpoints

if TYPE_CHECKING:
    import httpx
    from airbyte_api import AirbyteAPI


class Airbyte:
    """Talks to the Airbyte of the running stack; connects on first use, never at construction."""

    def __init__(
        self, load: Callable[[], Endpoints], *, timeout: float = 120.0, patience: Patience | None = None
    ) -> None:
        self._load = load
        self._timeout, self._patience = timeout, patience

    @cached_property
    def _endpoints(self) -> Endpoints:
        return self._load()

    @property
    def rest_url(self) -> str:
        """Base of the public API."""
        return f"{self._endpoints.airbyte_url.rstrip('/')}/api/public/v1"

    @property
    def config_url(self) -> str:
        """Base of the config API."""
        return f"{self._endpoints.airbyte_url.rstrip('/')}/api/v1"

    @cached_property
    def _http(self) -> httpx.Client:
        login = self._endpoints.airbyte_client_id, self._endpoints.airbyte_client_secret
        return open_client(self.rest_url, *login, self._timeout, self._patience)

    @cached_property
    def _sdk(self) -> AirbyteAPI:
        from airbyte_api import AirbyteAPI

        return AirbyteAPI(server_url=self.rest_url, client=self._http)

    @property
    def poll_seconds(self) -> float:
        """Pause between two looks at a running job: short on this machine, gentle elsewhere."""
        return 0.4 if "//127.0.0.1:" in self.rest_url else 5.0

    def workspaces(self) -> list[Named]:
        """Every workspace that the login sees."""
        return [Named(each["workspaceId"], each["name"]) for each in self._pages("/workspaces", "workspaceId")]

    def ensure_workspace(self, name: str) -> str:
        """The id of the workspace of this name, made if there is none."""
        found = _by_name(self.workspaces(), name)
        if found:
            return found.id
        answer = self._sdk.workspaces.create_workspace(request={"name": name})
        return _present(answer.workspace_response).workspace_id

    def delete_workspace(self, workspace_id: str) -> None:
        """Remove a workspace with its sources, destinations and connections."""
        for connection in self.connections(workspace_id):
            self.delete_connection(connection.id)
        for kind, key in (("sources", "sourceId"), ("destinations", "destinationId")):
            for each in self._pages(f"/{kind}", key, workspaceIds=workspace_id):
                self._http.delete(f"/{kind}/{each[key]}")
        self._http.delete(f"/workspaces/{workspace_id}")

    def ensure_source(self, workspace_id: str, name: str, configuration: Mapping[str, Any]) -> str:
        """The id of the source of this name, made or brought to this configuration."""
        return self._ensure_actor("sources", "sourceId", workspace_id, name, configuration)

    def ensure_destination(self, workspace_id: str, name: str, configuration: Mapping[str, Any]) -> str:
        """The id of the destination of this name, made or brought to this configuration."""
        return self._ensure_actor("destinations", "destinationId", workspace_id, name, configuration)

    def _ensure_actor(self, kind: str, key: str, workspace_id: str, name: str, configuration: Mapping[str, Any]) -> str:
        # Plain JSON: the SDK's typed union of sources re-writes configurations that it does not know.
        for each in self._pages(f"/{kind}", key, workspaceIds=workspace_id):
            if each["name"] == name:
                self._http.patch(f"/{kind}/{each[key]}", json={"name": name, "configuration": configuration})
                return str(each[key])
        body = {"name": name, "workspaceId": workspace_id, "configuration": configuration}
        return str(self._http.post(f"/{kind}", json=body).json()[key])

    def source_types(self, workspace_id: str) -> dict[str, str]:
        """Connector type of every source of a workspace, by source id."""
        return {
            each["sourceId"]: each["sourceType"]
            for each in self._pages("/sources", "sourceId", workspaceIds=workspace_id)
        }

    def discover(self, source_id: str) -> list[dict[str, Any]]:
        """The streams that a source offers, freshly discovered: Airbyte's stream properties."""
        answer = self._http.get(
            "/streams", params={"sourceId": source_id, "ignoreCache": "true"}, timeout=600, extensions=ONCE
        )
        return list(answer.json())

    def connections(self, workspace_id: str) -> list[Connection]:
        """The connections of a workspace."""
        return [
            parse_connection(each) for each in self._pages("/connections", "connectionId", workspaceIds=workspace_id)
        ]

    def connection(self, connection_id: str) -> Connection:
        """One connection, by its id."""
        return parse_connection(self._http.get(f"/connections/{connection_id}").json())

    def create_connection(self, request: Mapping[str, Any]) -> Connection:
        """Make a connection from a public-API body (camel case)."""
        from airbyte_api import models

        body = models.ConnectionCreateRequest.model_validate(request)
        answer = self._sdk.connections.create_connection(request=body)
        return parse_connection(_present(answer.connection_response).model_dump(by_alias=True))

    def select_streams(self, connection_id: str, streams: Sequence[Mapping[str, Any]]) -> None:
        """Make these the streams of a connection (name and sync mode each); states of those that stay are kept."""
        self._http.patch(f"/connections/{connection_id}", json={"configurations": {"streams": list(streams)}})

    def delete_connection(self, connection_id: str) -> None:
        """Remove a connection; one that is gone already is no error."""
        try:
            self._http.delete(f"/connections/{connection_id}")
        except PermanentError as error:
            if error.keys.get("status") != 404:
                raise

    def configured_streams(self, connection_id: str) -> list[ConfiguredStream]:
        """The selected streams of a connection with their schemas."""
        answer = self._http.post(f"{self.config_url}/connections/get", json={"connectionId": connection_id}).json()
        return [parse_stream(each) for each in answer["syncCatalog"]["streams"] if each["config"].get("selected", True)]

    def cancel_active(self, connection_id: str) -> None:
        """Stop the job that runs on a connection, if any."""
        for job in self.jobs(connection_id):
            if job.status in ACTIVE:
                self.cancel(job.id)

    def last_job(self, connection_id: str) -> Job | None:
        """The newest job of a connection, if any."""
        return max(self.jobs(connection_id), key=lambda job: job.id, default=None)

    def jobs(self, connection_id: str) -> list[Job]:
        """The newest syncs of a connection."""
        params: dict[str, str | int] = {
            "connectionId": connection_id,
            "jobType": "sync",
            "limit": 20,
            "orderBy": "createdAt|DESC",
        }
        return [parse_job(each) for each in self._http.get("/jobs", params=params).json()["data"]]

    def post_job(self, connection_id: str, headers: Mapping[str, str]) -> Job:
        """Ask once for a sync; an error says nothing of whether the job began."""
        body = {"connectionId": connection_id, "jobType": "sync"}
        return parse_job(self._http.post("/jobs", json=body, headers=dict(headers), extensions=ONCE).json())

    def job(self, job_id: int) -> Job:
        """One job as it is now."""
        return parse_job(self._http.get(f"/jobs/{job_id}").json())

    def cancel(self, job_id: int) -> None:
        """Ask Airbyte to stop a job; one that has ended already is no error."""
        try:
            self._http.delete(f"/jobs/{job_id}")
        except PermanentError as error:
            if error.keys.get("status") not in (404, 409, 422):
                raise

    def emitted_records(self, job_id: int) -> dict[str, int]:
        """Records that the source emitted, per stream, in the last attempt of a job."""
        answer = self._http.post(f"{self.config_url}/jobs/get", json={"id": job_id}).json()
        attempts = answer.get("attempts") or []
        if not attempts:
            return {}
        attempt = attempts[-1].get("attempt", attempts[-1])
        stats = attempt.get("streamStats") or []
        return {each["streamName"]: int(each["stats"].get("recordsEmitted") or 0) for each in stats}

    def _pages(self, path: str, key: str, **params: str) -> list[dict[str, Any]]:
        return read_pages(self._http, path, key, **params)


def _by_name(things: Sequence[Named], name: str) -> Named | None:
    return next((thing for thing in things if thing.name == name), None)


Value = TypeVar("Value")


def _present(value: Value | None) -> Value:
    if value is None:
        raise RetryableError("Airbyte answered without the object that was asked for; try again.")
    return value
