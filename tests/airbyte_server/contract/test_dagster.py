"""dagster-airbyte over this server: the specs of a workspace, a sync, and a failure."""

import dagster as dg
import pytest
from dagster_airbyte import AirbyteWorkspace, build_airbyte_assets_definitions


@pytest.fixture
def workspace(shop):
    shop.connection = shop.connect(shop.source(catalog=shop.configuration["catalog"]))
    return AirbyteWorkspace(
        rest_api_base_url=shop.server.url,
        configuration_api_base_url=f"{shop.server.root}/api/v1",
        workspace_id=shop.workspace_id,
        client_id="client-of-the-tests",
        client_secret="secret-of-the-tests",
        poll_interval=0.2,
        poll_timeout=60.0,
        request_timeout=60,
    )


def test_specs_and_a_sync_through_dagsters_assets(shop, workspace):
    specs = {spec.key.to_user_string(): spec for spec in workspace.load_asset_specs()}
    assert set(specs) == {"shop_orders", "shop_visits"}
    metadata = specs["shop_orders"].metadata
    assert metadata["dagster-airbyte/connection_id"] == shop.connection["connectionId"]
    assert metadata["dagster/table_name"].endswith(f"{shop.namespace}.orders")
    assert [column.name for column in metadata["dagster/column_schema"].columns] == ["id", "updated_at"]
    assert {"airbyte", "postgres"} <= specs["shop_orders"].kinds

    assets = build_airbyte_assets_definitions(workspace=workspace)
    result = dg.materialize(assets, resources={"airbyte": workspace}, raise_on_error=False)
    assert result.success
    made = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}
    assert made == {"shop_orders", "shop_visits"}
    assert len(shop.rows("shop_orders")) == 3


def test_a_failed_job_is_dagsters_failure(shop, workspace):
    (shop.folder / "orders.jsonl").unlink()
    with pytest.raises(dg.Failure, match="Job failed"):
        workspace.get_client().sync_and_poll(shop.connection["connectionId"])


def test_a_connection_of_another_workspace_is_not_listed(shop, workspace, make_workshop):
    empty = make_workshop(shop.server)
    assert workspace.model_copy(update={"workspace_id": empty.workspace_id}).load_asset_specs() == []
