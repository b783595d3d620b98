"""The configuration API's view of a connection, and changes through it."""

import pytest

ORDERS = {
    "name": "orders",
    "json_schema": {"properties": {name: {"type": "string"} for name in ("id", "updated_at", "note")}},
    "supported_sync_modes": ["full_refresh", "incremental"],
    "source_defined_primary_key": [["id"]],
    "default_cursor_field": ["updated_at"],
}
VISITS = {"name": "visits", "json_schema": {"properties": {"page": {"type": "string"}}}}


@pytest.fixture
def shop(workshop):
    workshop.write("orders", [{"id": "1", "updated_at": "2026", "note": ""}])
    workshop.write("visits", [{"page": "/"}])
    workshop.connection = workshop.connect(workshop.source(catalog=str(workshop.write_catalog(ORDERS, VISITS))))
    return workshop


def details(shop):
    reference = {"connectionId": shop.connection["connectionId"]}
    return shop.client.post("/connections/get", json=reference).json()


def test_it_accepts_its_own_answer_and_changes_nothing_by_that(shop):
    before = details(shop)
    assert before["syncCatalog"]["streams"][0]["config"]["destinationSyncMode"] == "append_dedup"
    assert shop.client.post("/connections/update", json=before).json() == before
    assert shop.client.get(f"/connections/{shop.connection['connectionId']}").json() == shop.connection


def test_selected_streams_fields_and_a_schedule_become_the_connections(shop):
    update = details(shop)
    orders, visits = (entry["config"] for entry in update["syncCatalog"]["streams"])
    visits["selected"] = False
    fields = [{"fieldPath": ["id"]}, {"fieldPath": ["updated_at"]}]
    orders |= {"fieldSelectionEnabled": True, "selectedFields": fields}
    update |= {
        "scheduleType": "cron",
        "scheduleData": {"cron": {"cronExpression": "0 0 3 * * ?", "cronTimeZone": "UTC"}},
        "nonBreakingChangesPreference": "disable",
        "namespaceDefinition": "customformat",
        "status": "inactive",
    }
    changed = shop.client.post("/connections/update", json=update).json()
    assert changed == details(shop)
    assert [entry["config"]["selected"] for entry in changed["syncCatalog"]["streams"]] == [True, False]
    public = shop.client.get(f"/connections/{shop.connection['connectionId']}").json()
    assert public["configurations"]["streams"] == [
        {
            "name": "orders",
            "syncMode": "incremental_deduped_history",
            "primaryKey": [["id"]],
            "cursorField": ["updated_at"],
            "selectedFields": fields,
        }
    ]
    assert public["schedule"] == {"scheduleType": "cron", "cronExpression": "0 0 3 * * ? UTC"}
    assert (public["status"], public["nonBreakingSchemaUpdatesBehavior"]) == ("inactive", "disable_connection")


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"selected": False, "destinationSyncMode": "append"}, "selects no stream"),
        ({"syncMode": "incremental", "destinationSyncMode": "overwrite"}, "cannot be synced by incremental and"),
        ({"destinationSyncMode": "sideways"}, "destinationSyncMode must be one of"),
        ({"destinationSyncMode": "overwrite", "mappers": [{"type": "hashing"}]}, "it needs a mapperConfiguration"),
    ],
    ids=["nothing", "combination", "unknown mode", "mapper"],
)
def test_what_cannot_be_synced_is_refused(shop, config, sentence):
    catalog = {"streams": [{"stream": {"name": "orders"}, "config": config}]}
    update = {"connectionId": shop.connection["connectionId"], "syncCatalog": catalog}
    refused = shop.client.post("/connections/update", json=update)
    assert refused.status_code == 422
    assert sentence in refused.json()["detail"]


def test_a_workspaces_connections_come_with_their_catalogs_in_one_answer(shop):
    shop.connect(shop.connection["sourceId"], prefix="second_")
    listed = shop.client.post("/connections/list", json={"workspaceId": shop.workspace_id}).json()["connections"]
    assert [each["prefix"] for each in listed] == ["shop_", "second_"]
    assert listed[0] == details(shop)
    unknown = shop.client.post("/connections/list", json={"workspaceId": shop.connection["connectionId"]})
    assert unknown.status_code == 404
