"""A tenant's `dagster_airbyte.AirbyteWorkspace` for assets of one's own, with the stack's addresses and login."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from analysis.errors import PermanentError
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.stack.endpoints import Endpoints
from orchestration.tenancy.identifiers import TenantId, TenantNames

if TYPE_CHECKING:
    from orchestration.resources.guarded_workspace import GuardedWorkspace


class TenantWorkspaces:
    """Makes workspaces; neither connects nor imports dagster-airbyte before it is asked for one."""

    def __init__(self, load: Callable[[], Endpoints], sync_seconds: float = 86_400.0) -> None:
        self._load = load
        self._sync_seconds = sync_seconds

    @cached_property
    def _airbyte(self) -> AirbyteClient:
        return AirbyteClient(self._load)

    def of(self, tenant: str) -> GuardedWorkspace:
        """The tenant's workspace in Airbyte, for `load_airbyte_asset_specs` and for syncs of its own connections."""
        from orchestration.resources.guarded_workspace import GuardedWorkspace

        names, endpoints = TenantNames(TenantId(tenant)), self._load()
        workspace = next((each for each in self._airbyte.workspaces() if each.name == names.raw), None)
        if workspace is None:
            raise PermanentError(f"Tenant {tenant} has no workspace in Airbyte; add it with `sluice tenant add`.")
        return GuardedWorkspace(
            rest_api_base_url=self._airbyte.rest_url,
            configuration_api_base_url=self._airbyte.config_url,
            workspace_id=workspace.id,
            client_id=endpoints.airbyte_client_id,
            client_secret=endpoints.airbyte_client_secret,
            request_timeout=120,
            namespace=names.raw,
            sync_seconds=self._sync_seconds,
        )
