"""dagster-airbyte's workspace behind Sluice's client; importing this imports dagster-airbyte."""

from __future__ import annotations

from dagster._utils.cached_method import cached_method
from dagster_airbyte import AirbyteOutput, AirbyteWorkspace
from dagster_airbyte.resources import AirbyteClient as StockClient
from pydantic import Field

from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.airbyte_session import REST_PATH, Login
from orchestration.resources.airbyte_sync import sync_connection


class GuardedClient(StockClient):
    """Reads as dagster-airbyte does; syncs as Sluice does, and only what is the tenant's."""

    namespace: str
    sync_seconds: float

    def sync_and_poll(self, connection_id: str) -> AirbyteOutput:
        """Sync a connection of this workspace and namespace; a job that runs is joined, none is asked for twice."""
        details = self.get_connection_details(connection_id)
        root = self.rest_api_base_url.removesuffix(REST_PATH)
        airbyte = AirbyteClient(lambda: Login(root, self.client_id or "", self.client_secret or ""))
        job = sync_connection(
            airbyte, self.workspace_id, connection_id, namespace=self.namespace, seconds=self.sync_seconds
        )
        return AirbyteOutput(job_details=self.get_job_details(job.id), connection_details=details)


class GuardedWorkspace(AirbyteWorkspace):
    """An `AirbyteWorkspace` of one tenant: the stock client repeats POST /jobs, and syncs whatever id it is given."""

    namespace: str = Field(description="The tenant's raw schema, to which its connections write.")
    sync_seconds: float = Field(default=86_400.0, description="How long one sync may take before it is cancelled.")

    @cached_method
    def get_client(self) -> GuardedClient:
        """The client, one per workspace."""
        return GuardedClient(
            rest_api_base_url=self.rest_api_base_url,
            configuration_api_base_url=self.configuration_api_base_url,
            workspace_id=self.workspace_id,
            client_id=self.client_id,
            client_secret=self.client_secret,
            username=None,
            password=None,
            request_max_retries=self.request_max_retries,
            request_retry_delay=self.request_retry_delay,
            request_timeout=self.request_timeout,
            max_items_per_page=self.max_items_per_page,
            poll_interval=self.poll_interval,
            poll_timeout=self.poll_timeout,
            cancel_on_termination=self.cancel_on_termination,
            poll_previous_running_sync=self.poll_previous_running_sync,
            namespace=self.namespace,
            sync_seconds=self.sync_seconds,
        )
