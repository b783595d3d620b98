"""Workspaces of an Airbyte: one per tenant."""

from __future__ import annotations

from orchestration.resources.airbyte_records import Named
from orchestration.resources.airbyte_session import AirbyteSession


class Workspaces(AirbyteSession):
    """List, find and make workspaces."""

    def workspaces(self) -> list[Named]:
        """Every workspace that the login sees."""
        listed = self._listed(self._sdk.workspaces.list_workspaces, "/workspaces", "workspaceId")
        return [Named(each["workspaceId"], each["name"]) for each in listed]

    def ensure_workspace(self, name: str) -> str:
        """The id of the workspace of this name, made if there is none."""
        found = next((each.id for each in self.workspaces() if each.name == name), None)
        if found is not None:
            return found
        return str(self._ask(self._sdk.workspaces.create_workspace, {"name": name})["workspaceId"])

    def _delete_workspace(self, workspace_id: str) -> None:
        self._ask(self._sdk.workspaces.delete_workspace, {"workspace_id": workspace_id})
