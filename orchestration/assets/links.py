"""Where a materialisation leads: Airbyte's pages, dbt's files and log, the same tenant's steps before and after."""

from __future__ import annotations

import dagster as dg

from orchestration.assets.lineage import neighbours
from orchestration.resources.model_builds import log_folder, sets_folder
from orchestration.resources.warehouse import Warehouse
from orchestration.stack import ingestion_server
from orchestration.stack.ports import HOST


def airbyte_link(warehouse: Warehouse, workspace_id: str) -> dg.MetadataValue:
    """The tenant's workspace; the embedded Airbyte has no pages but the one that describes its API."""
    url = warehouse.endpoints.airbyte_url.rstrip("/")
    embedded = ingestion_server.running_port(warehouse.settings.home)
    if embedded is not None and url == f"http://{HOST}:{embedded}":
        return dg.MetadataValue.url(f"{url}/docs")
    return dg.MetadataValue.url(f"{url}/workspaces/{workspace_id}")


def set_link(warehouse: Warehouse, model_set: str | None) -> dg.MetadataValue:
    """The folder of the rendered models, mounted when they are first built."""
    return dg.MetadataValue.path(sets_folder(warehouse.settings.home) / (model_set or ""))


def log_link(warehouse: Warehouse, tenant: str) -> dg.MetadataValue:
    """dbt's log of the tenant's builds."""
    return dg.MetadataValue.path(log_folder(warehouse.settings.home, tenant) / "dbt.log")


def step_links(key: dg.AssetKey, tenant: str) -> dict[str, dg.MetadataValue]:
    """The steps before and after one, each at the page of the same tenant."""
    before, after = neighbours(key)
    named = {"previous_step": before, "next_step": after}
    return {label: dg.MetadataValue.md(_link(step, tenant)) for label, step in named.items() if step is not None}


def partition_path(key: dg.AssetKey, tenant: str) -> str:
    """The UI's page of an asset of one tenant."""
    return f"/assets/{'/'.join(key.path)}?view=partitions&partition={tenant}"


def _link(key: dg.AssetKey, tenant: str) -> str:
    return f"[{key.to_user_string()} of {tenant}]({partition_path(key, tenant)})"
