"""Each table has one connection that writes it."""

from concurrent.futures import ThreadPoolExecutor

import pytest


@pytest.fixture
def shop(workshop):
    workshop.write("orders", [{"id": 1}])
    workshop.source_id = workshop.source()
    return workshop


def body(shop, **changes):
    return {
        "sourceId": shop.source_id,
        "destinationId": shop.destination_id,
        "namespaceDefinition": "custom_format",
        "namespaceFormat": shop.namespace,
        "prefix": "shop_",
        **changes,
    }


def test_a_second_connection_on_one_table_is_refused_and_names_the_first(shop):
    first = shop.connect(shop.source_id)
    by = f"Table {shop.namespace}.shop_orders is written by connection 'shop' ({first['connectionId']})"
    for changes in ({}, {"namespaceDefinition": "destination", "namespaceFormat": None}):
        refused = shop.client.post("/connections", json=body(shop, **changes))
        assert refused.status_code == 409
        assert by in refused.json()["detail"]
    listed = shop.client.get("/connections", params={"workspaceIds": shop.workspace_id}).json()["data"]
    assert [each["connectionId"] for each in listed] == [first["connectionId"]]


def test_a_change_that_would_write_anothers_table_is_refused_and_changes_nothing(shop):
    shop.connect(shop.source_id)
    second = shop.connect(shop.source_id, prefix="second_")
    path = f"/connections/{second['connectionId']}"
    assert shop.client.patch(path, json={"prefix": "shop_", "name": "x"}).status_code == 409
    assert shop.client.get(path).json() == second
    assert shop.client.patch(path, json={"prefix": "third_"}).json()["prefix"] == "third_"


def test_a_table_is_free_again_when_its_connection_is_gone(shop):
    first = shop.connect(shop.source_id)
    shop.client.delete(f"/connections/{first['connectionId']}")
    assert shop.connect(shop.source_id)["prefix"] == "shop_"


def test_a_destination_that_would_bring_two_connections_together_is_not_changed(shop):
    shop.connect(shop.source_id, namespaceDefinition="destination", namespaceFormat=None)
    mine = shop.client.get(f"/destinations/{shop.destination_id}").json()
    database = {**mine["configuration"], "password": "none-of-yours", "host": "LOCALHOST", "schema": "elsewhere"}
    made = {"name": "second", "workspaceId": shop.workspace_id, "configuration": database}
    second = shop.client.post("/destinations", json=made).json()["destinationId"]
    there = body(shop, destinationId=second, namespaceDefinition="destination", namespaceFormat=None)
    assert shop.client.post("/connections", json=there).status_code == 200
    change = {"configuration": {"schema": shop.namespace}}
    refused = shop.client.patch(f"/destinations/{second}", json=change)
    assert (refused.status_code, refused.json()["detail"][:5]) == (409, "Table")
    assert shop.client.get(f"/destinations/{second}").json()["configuration"]["schema"] == "elsewhere"


def test_of_two_at_the_same_time_one_wins(shop):
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: shop.client.post("/connections", json=body(shop)), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
