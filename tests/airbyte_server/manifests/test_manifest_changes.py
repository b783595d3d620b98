"""A new version of a manifest is a source whose schema changes between two jobs."""

import copy
import hashlib

import pytest


@pytest.mark.slow
def test_columns_and_streams_follow_a_new_version_of_the_manifest(workshop, api, make_source, manifest, configuration):
    source = make_source(manifest, configuration)
    chosen = [
        {"name": "orders", "syncMode": "incremental_deduped_history"},
        {"name": "customers", "syncMode": "full_refresh_overwrite"},
    ]
    behaviour = {"nonBreakingSchemaUpdatesBehavior": "propagate_fully", "configurations": {"streams": chosen}}
    connection = workshop.connect(source["sourceId"], **behaviour)
    assert workshop.sync(connection)["status"] == "succeeded"
    assert len(workshop.rows("shop_orders", "id, total")) == 250

    changed = copy.deepcopy(manifest)
    orders = changed["streams"][0]
    fields = orders["schema_loader"]["schema"]["properties"]
    fields["country"] = {"type": ["null", "string"]}
    del fields["total"]
    changed["streams"] = [orders, {**copy.deepcopy(changed["definitions"]["customers"]), "name": "clients"}]
    path = f"/workspaces/{workshop.workspace_id}/definitions/declarative_sources/{source['definitionId']}"
    put = workshop.client.put(path, json={"name": "Shop", "manifest": changed})
    assert put.status_code == 200, put.text
    for order in api.orders[-5:]:
        order["country"] = "NL"
    api.requests.clear()
    job = workshop.sync(connection)
    assert job["status"] == "succeeded", job.get("failureReason")

    # The state went on: nothing that was there is read again, so its new column stays NULL until a refresh.
    assert {query.get("since") for query in api.asked("/orders")} == {"2024-03-25T00:00:00Z"}
    countries = dict(workshop.rows("shop_orders", "id, country"))
    assert [countries[number] for number in (0, 239, 249)] == [None, None, "NL"]
    assert all("total" not in row for (row,) in workshop.rows("shop_orders", "to_jsonb(shop_orders)"))
    now = workshop.client.get(f"/connections/{connection['connectionId']}").json()
    assert sorted(item["name"] for item in now["configurations"]["streams"]) == ["clients", "orders"]
    assert len(workshop.rows("shop_clients")) == len(workshop.rows("shop_customers")) == 3

    del fields["updated"]
    workshop.client.put(path, json={"name": "Shop", "manifest": changed})
    assert workshop.sync(connection)["status"] == "failed"
    paused = workshop.client.get(f"/connections/{connection['connectionId']}").json()
    assert (paused["status"], "'orders' has lost its cursor updated" in paused["statusReason"]) == ("inactive", True)


@pytest.mark.slow
def test_mappers_hide_a_field_of_a_declarative_source(workshop, make_source, manifest, configuration):
    source = make_source(manifest, configuration)
    settings = {"targetField": "name", "method": "MD5", "fieldNameSuffix": "_hash"}
    stream = {
        "name": "customers",
        "syncMode": "full_refresh_overwrite",
        "mappers": [{"type": "hashing", "mapperConfiguration": settings}],
    }
    connection = workshop.connect(source["sourceId"], configurations={"streams": [stream]})
    assert workshop.sync(connection)["status"] == "succeeded"
    rows = dict(workshop.rows("shop_customers", "id, name_hash"))
    assert rows == {number: hashlib.md5(f"customer {number}".encode()).hexdigest() for number in range(3)}
