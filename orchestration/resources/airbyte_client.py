"""What Sluice asks of an Airbyte, embedded or not: one class over the public API and two config-API calls."""

from __future__ import annotations

from orchestration.resources.airbyte_actors import Actors
from orchestration.resources.airbyte_connections import Connections
from orchestration.resources.airbyte_jobs import Jobs
from orchestration.resources.airbyte_samples import Samples
from orchestration.resources.airbyte_workspaces import Workspaces


class AirbyteClient(Workspaces, Actors, Connections, Jobs, Samples):
    """Everything by one login: the SDK for what its models can carry, plain HTTP for sources and destinations."""

    def delete_workspace(self, workspace_id: str) -> None:
        """Remove a workspace with its sources, destinations and connections."""
        for connection in self.connections(workspace_id):
            self.delete_connection(connection.id)
        self._delete_actors(workspace_id)
        self._delete_workspace(workspace_id)
