"""Connections of an Airbyte, always addressed by their ids: names are not unique."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.errors import PermanentError
from orchestration.resources.airbyte_records import ConfiguredStream, Connection, parse_connection, parse_stream
from orchestration.resources.airbyte_session import AirbyteSession, is_gone


class Connections(AirbyteSession):
    """List, make, change and remove connections."""

    def connections(self, workspace_id: str) -> list[Connection]:
        """The connections of a workspace."""
        operation = self._sdk.connections.list_connections
        listed = self._listed(operation, "/connections", "connectionId", workspace_ids=[workspace_id])
        return [parse_connection(each) for each in listed]

    def connection(self, connection_id: str) -> Connection:
        """One connection, by its id."""
        return parse_connection(self._ask(self._sdk.connections.get_connection, {"connection_id": connection_id}))

    def stream_configurations(self, connection_id: str) -> list[dict[str, Any]]:
        """How a connection's streams are synced, in the public API's words; none is left out."""
        answer = self._ask(self._sdk.connections.get_connection, {"connection_id": connection_id})
        return list((answer.get("configurations") or {}).get("streams") or ())

    def create_connection(self, request: Mapping[str, Any]) -> Connection:
        """Make a connection from a public-API body (camel case)."""
        from airbyte_api import models

        body = models.ConnectionCreateRequest.model_validate(request)
        return parse_connection(self._ask(self._sdk.connections.create_connection, body))

    def select_streams(self, connection_id: str, streams: Sequence[Mapping[str, Any]]) -> None:
        """Make these the streams of a connection (name and sync mode each); states of those that stay are kept."""
        from airbyte_api import models

        body = models.ConnectionPatchRequest.model_validate({"configurations": {"streams": list(streams)}})
        request = {"connection_id": connection_id, "connection_patch_request": body}
        self._ask(self._sdk.connections.patch_connection, request)

    def delete_connection(self, connection_id: str) -> None:
        """Remove a connection; one that is gone already is no error."""
        try:
            self._ask(self._sdk.connections.delete_connection, {"connection_id": connection_id})
        except PermanentError as error:
            if not is_gone(error):
                raise

    def configured_streams(self, connection_id: str) -> list[ConfiguredStream]:
        """The selected streams of a connection with their schemas; the config API alone has these."""
        return _selected(self.call("POST", f"{self.config_url}/connections/get", json={"connectionId": connection_id}))

    def connections_with_streams(self, workspace_id: str) -> dict[Connection, list[ConfiguredStream]]:
        """The connections of a workspace with their selected streams: one request for all schemas."""
        answer = self.call("POST", f"{self.config_url}/connections/list", json={"workspaceId": workspace_id})
        streams = {each["connectionId"]: _selected(each) for each in answer["connections"]}
        return {
            each: streams[each.id] if each.id in streams else self.configured_streams(each.id)
            for each in self.connections(workspace_id)
        }


def _selected(answer: Mapping[str, Any]) -> list[ConfiguredStream]:
    streams = answer["syncCatalog"]["streams"]
    return [parse_stream(each) for each in streams if each["config"].get("selected", True)]
