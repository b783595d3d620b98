"""Sources and destinations of an Airbyte, in plain JSON.

The SDK's typed union of sources re-writes configurations that it does not know, and cannot read some that it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.errors import PermanentError
from orchestration.resources.airbyte_records import Named
from orchestration.resources.airbyte_session import AirbyteSession, is_gone

ID_FIELDS = {"sources": "sourceId", "destinations": "destinationId"}
DISCOVERY_SECONDS = 600.0


class Actors(AirbyteSession):
    """Make sources and destinations, and ask sources what they offer."""

    def ensure_source(self, workspace_id: str, name: str, configuration: Mapping[str, Any]) -> str:
        """The id of the source of this name, made or brought to this configuration."""
        return self._ensure_actor("sources", workspace_id, name, configuration)

    def ensure_destination(self, workspace_id: str, name: str, configuration: Mapping[str, Any]) -> str:
        """The id of the destination of this name, made or brought to this configuration."""
        return self._ensure_actor("destinations", workspace_id, name, configuration)

    def sources(self, workspace_id: str) -> list[Named]:
        """The sources of a workspace."""
        return [
            Named(each["sourceId"], each["name"])
            for each in self._pages("/sources", "sourceId", workspaceIds=workspace_id)
        ]

    def source_configurations(self, workspace_id: str) -> list[dict[str, Any]]:
        """The configurations of a workspace's sources, secrets blotted out by Airbyte."""
        listed = self._pages("/sources", "sourceId", workspaceIds=workspace_id)
        return [dict(each.get("configuration") or {}) for each in listed]

    def create_source(self, workspace_id: str, name: str, configuration: Mapping[str, Any], definition_id: str) -> str:
        """The id of a new source of a definition."""
        body = {"name": name, "workspaceId": workspace_id, "definitionId": definition_id}
        return str(self.call("POST", "/sources", json={**body, "configuration": configuration})["sourceId"])

    def delete_source(self, source_id: str) -> None:
        """Remove a source with its connections; one that is gone already is no error."""
        try:
            self.call("DELETE", f"/sources/{source_id}")
        except PermanentError as error:
            if not is_gone(error):
                raise

    def specified_fields(self, workspace_id: str, definition_id: str) -> dict[str, Any]:
        """The fields that a source's specification names; none where the Airbyte does not tell specifications."""
        request = {"sourceDefinitionId": definition_id, "workspaceId": workspace_id}
        try:
            answer = self.call("POST", f"{self.config_url}/source_definition_specifications/get", json=request)
        except PermanentError:
            return {}
        return dict((answer.get("connectionSpecification") or {}).get("properties") or {})

    def source_types(self, workspace_id: str) -> dict[str, str]:
        """Connector type of every source of a workspace, by source id."""
        listed = self._pages("/sources", "sourceId", workspaceIds=workspace_id)
        return {each["sourceId"]: each["sourceType"] for each in listed}

    def check_source(self, source_id: str, name: str) -> None:
        """A PermanentError in the connector's words where the source cannot be reached as it is configured."""
        path = f"{self.config_url}/sources/check_connection"
        answer = self.call("POST", path, json={"sourceId": source_id}, timeout=DISCOVERY_SECONDS)
        if answer.get("status") == "failed":
            reason = " ".join(str(answer.get("message") or "it does not say why").split())
            raise PermanentError(f"Source {name} cannot be reached: {reason}", source=name)

    def discover(self, source_id: str) -> list[dict[str, Any]]:
        """The streams that a source offers, freshly discovered: Airbyte's stream properties."""
        request = {"source_id": source_id, "ignore_cache": True}
        operation = self._sdk.streams.get_stream_properties
        return list(self._ask(operation, request, timeout_ms=int(DISCOVERY_SECONDS * 1000)))

    def _ensure_actor(self, kind: str, workspace_id: str, name: str, configuration: Mapping[str, Any]) -> str:
        key = ID_FIELDS[kind]
        for each in self._pages(f"/{kind}", key, workspaceIds=workspace_id):
            if each["name"] == name:
                self.call("PATCH", f"/{kind}/{each[key]}", json={"name": name, "configuration": configuration})
                return str(each[key])
        body = {"name": name, "workspaceId": workspace_id, "configuration": configuration}
        return str(self.call("POST", f"/{kind}", json=body)[key])

    def _delete_actors(self, workspace_id: str) -> None:
        for kind, key in ID_FIELDS.items():
            for each in self._pages(f"/{kind}", key, workspaceIds=workspace_id):
                self.call("DELETE", f"/{kind}/{each[key]}")
