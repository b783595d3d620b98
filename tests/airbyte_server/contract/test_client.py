"""Sluice's own client over this server."""

import pytest

from analysis.errors import PermanentError
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.airbyte_session import Login
from orchestration.resources.airbyte_sync import sync_connection


@pytest.fixture
def airbyte(server):
    return AirbyteClient(lambda: Login(server.root, "client-of-the-tests", "secret-of-the-tests"))


@pytest.fixture
def source_id(shop):
    return shop.source(catalog=shop.configuration["catalog"])


def test_a_sync_of_a_connection_by_its_id_and_only_in_its_own_namespace(shop, airbyte, source_id):
    made = shop.connect(source_id)["connectionId"]
    with pytest.raises(PermanentError, match="its tenant's namespace"):
        sync_connection(airbyte, shop.workspace_id, made, namespace="tenant_other", seconds=60)
    assert airbyte.jobs(made) == []
    job = sync_connection(airbyte, shop.workspace_id, made, namespace=shop.namespace, seconds=60)
    assert (job.status, len(shop.rows("shop_orders"))) == ("succeeded", 3)
    assert job.started_at <= job.updated_at
    assert [each.id for each in airbyte.syncs_since(job.updated_at) if each.connection_id == made] == [job.id]
    counts = airbyte.stream_counts(job.id)
    assert {name: (each.emitted, each.committed) for name, each in counts.items()} == {
        "orders": (3, 3),
        "visits": (2, 2),
    }
    assert all(each.bytes > 0 for each in counts.values())


def test_what_a_configured_stream_says_is_what_its_mode_does(shop, airbyte, source_id):
    row_filter = {"conditions": {"type": "EQUAL", "fieldName": "page", "comparisonValue": "/cart"}}
    streams = [
        {"name": "orders", "syncMode": "incremental_deduped_history"},
        {
            "name": "visits",
            "syncMode": "full_refresh_append",
            "mappers": [{"type": "row-filtering", "mapperConfiguration": row_filter}],
        },
    ]
    made = airbyte.connection(shop.connect(source_id, configurations={"streams": streams})["connectionId"])
    orders, visits = airbyte.configured_streams(made.id)
    assert (orders.is_deduplicated, orders.is_replaced, orders.is_filtered) == (True, False, False)
    assert (visits.is_deduplicated, visits.is_replaced, visits.is_filtered) == (False, False, True)
    job = sync_connection(airbyte, shop.workspace_id, made.id, namespace=shop.namespace, seconds=60)
    counts = airbyte.stream_counts(job.id)["visits"]
    assert (counts.emitted, counts.committed) == (2, 1)
    airbyte.select_streams(made.id, [{"name": "orders", "syncMode": "full_refresh_overwrite_deduped"}])
    (orders,) = airbyte.configured_streams(made.id)
    assert (orders.is_deduplicated, orders.is_replaced) == (True, True)


def test_a_workspace_is_made_once_and_removed_with_all_that_is_in_it(shop, airbyte, source_id):
    shop.connect(source_id)
    name = next(each.name for each in airbyte.workspaces() if each.id == shop.workspace_id)
    assert airbyte.ensure_workspace(name) == shop.workspace_id
    assert airbyte.source_types(shop.workspace_id) == {source_id: "file"}
    assert {each["streamName"] for each in airbyte.discover(source_id)} == {"orders", "visits"}
    airbyte.delete_workspace(shop.workspace_id)
    assert shop.workspace_id not in {each.id for each in airbyte.workspaces()}
    assert airbyte.connections(shop.workspace_id) == []
