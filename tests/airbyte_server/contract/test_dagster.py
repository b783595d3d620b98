"""dagster-airbyte over this server: the specs of a workspace, a sync, and a failure."""

import importlib.util
import re
from pathlib import Path

import dagster as dg
import pytest
from dagster_airbyte import AirbyteWorkspace, build_airbyte_assets_definitions, load_airbyte_asset_specs

from analysis.errors import PermanentError
from orchestration.partitions import tenants
from orchestration.resources.tenant_workspaces import TenantWorkspaces
from orchestration.stack.endpoints import Endpoints


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
    (shop.folder / "orders.jsonl").write_text("no record\n")
    with pytest.raises(dg.Failure, match="Job failed"):
        workspace.get_client().sync_and_poll(shop.connection["connectionId"])


def test_a_connection_of_another_workspace_is_not_listed(shop, workspace, make_workshop):
    empty = make_workshop(shop.server)
    assert workspace.model_copy(update={"workspace_id": empty.workspace_id}).load_asset_specs() == []


def test_every_page_of_connections_is_followed_and_a_running_job_is_cancelled(shop, workspace):
    second = shop.connect(shop.connection["sourceId"], prefix="second_")["connectionId"]
    third = shop.connect(shop.connection["sourceId"], prefix="third_")["connectionId"]
    client = workspace.model_copy(update={"max_items_per_page": 1}).get_client()
    listed = [each["connectionId"] for each in client.get_connections()]
    assert listed == sorted(listed, key=[shop.connection["connectionId"], second, third].index)
    assert len(listed) == 3
    started = client.start_sync_job(second)
    assert [job.id for job in client.get_jobs_for_connection(second)] == [started["jobId"]]
    assert client.cancel_job(started["jobId"])["jobId"] == started["jobId"]
    assert client.get_job_details(started["jobId"])["status"] in ("cancelled", "succeeded")


@pytest.fixture
def workspaces(shop):
    """What Sluice's definitions offer under `airbyte_workspaces`."""
    none = dict.fromkeys(("control_url", "dagster_url", "loader_login", "loader_password"), "")
    login = {"airbyte_client_id": "client-of-the-tests", "airbyte_client_secret": "secret-of-the-tests"}
    return TenantWorkspaces(lambda: Endpoints(**none, **login, airbyte_url=shop.server.root))


def test_a_tenants_workspace_loads_specs_and_syncs_through_sluices_client(shop, workspaces):
    made = shop.connect(shop.source(catalog=shop.configuration["catalog"]))
    workspace = workspaces.of(shop.namespace.removeprefix("tenant_"))
    keys = {spec.key.to_user_string() for spec in load_airbyte_asset_specs(workspace)}
    assert keys == {"shop_orders", "shop_visits"}
    output = workspace.get_client().sync_and_poll(made["connectionId"])
    assert (output.job_details["status"], output.connection_details["name"]) == ("succeeded", "shop")
    assets = build_airbyte_assets_definitions(workspace=workspace)
    result = dg.materialize(assets, resources={"airbyte": workspace})
    assert {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()} == keys
    assert len(shop.rows("shop_orders")) == 3


def test_a_tenants_workspace_syncs_nobody_elses_connection(shop, workspaces, make_workshop):
    foreign = make_workshop(shop.server)
    other = foreign.connect(foreign.source(catalog=shop.configuration["catalog"]))
    source_id = shop.source(catalog=shop.configuration["catalog"])
    astray = shop.connect(source_id, namespaceFormat=foreign.namespace, prefix="else_")
    client = workspaces.of(shop.namespace.removeprefix("tenant_")).get_client()
    with pytest.raises(PermanentError, match="not of the tenant's workspace"):
        client.sync_and_poll(other["connectionId"])
    with pytest.raises(PermanentError, match="its tenant's namespace"):
        client.sync_and_poll(astray["connectionId"])
    assert shop.client.get("/jobs", params={"connectionId": other["connectionId"]}).json()["data"] == []
    assert shop.client.get("/jobs", params={"connectionId": astray["connectionId"]}).json()["data"] == []
    with pytest.raises(PermanentError, match="no workspace in Airbyte"):
        workspaces.of("nobody")


def test_the_asset_that_the_document_shows_syncs_a_tenants_connections(shop, workspaces, tmp_path):
    document = (Path(__file__).parents[3] / "docs" / "modellers.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", document.partition("## Assets of your own on Airbyte")[2], re.DOTALL)
    (tmp_path / "shown.py").write_text(code)
    spec = importlib.util.spec_from_file_location("shown", tmp_path / "shown.py")
    shown = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shown)
    shop.connect(shop.source(catalog=shop.configuration["catalog"]))
    tenant = shop.namespace.removeprefix("tenant_")
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(str(tenants.name), [tenant])
        resources = {"airbyte_workspaces": workspaces}
        assert dg.materialize([shown.synced], partition_key=tenant, resources=resources, instance=instance).success
    assert len(shop.rows("shop_orders")) == 3
