import pytest
from airbyte_api import AirbyteAPI, models

ORDERS = {
    "name": "orders",
    "json_schema": {
        "type": "object",
        "properties": {"id": {"type": ["null", "integer"]}, "updated_at": {"type": ["null", "string"]}},
    },
    "supported_sync_modes": ["full_refresh", "incremental"],
    "source_defined_primary_key": [["id"]],
    "default_cursor_field": ["updated_at"],
}
RECORDS = [{"id": 1, "updated_at": "2026-01-01"}, {"id": 2, "updated_at": "2026-01-02"}]


@pytest.fixture
def shop(workshop):
    """A workshop whose folder has two streams, one of them with a key and a cursor."""
    workshop.write("orders", RECORDS)
    workshop.write("visits", [{"page": "/"}])
    catalog = workshop.write_catalog(
        ORDERS, {"name": "visits", "json_schema": {"properties": {"page": {"type": "string"}}}}
    )
    workshop.source_id = workshop.source(catalog=str(catalog))
    return workshop


def test_without_configurations_every_stream_is_taken_in_its_best_mode(shop):
    connection = shop.connect(shop.source_id)
    assert connection["status"] == "active"
    assert connection["schedule"] == {"scheduleType": "manual"}
    assert sorted(connection["configurations"]["streams"], key=lambda stream: stream["name"]) == [
        {
            "name": "orders",
            "syncMode": "incremental_deduped_history",
            "primaryKey": [["id"]],
            "cursorField": ["updated_at"],
        },
        {"name": "visits", "syncMode": "full_refresh_overwrite"},
    ]
    assert shop.client.get(f"/connections/{connection['connectionId']}").json() == connection


def test_a_second_read_after_a_patch_with_the_servers_own_answer_shows_no_difference(shop):
    connection = shop.connect(shop.source_id)
    path = f"/connections/{connection['connectionId']}"
    assert shop.client.patch(path, json=connection).json() == connection


def test_a_patch_changes_what_is_given_and_nothing_else(shop):
    connection = shop.connect(shop.source_id)
    path = f"/connections/{connection['connectionId']}"
    changed = shop.client.patch(path, json={"prefix": "store_", "status": "inactive"}).json()
    assert changed == {**connection, "prefix": "store_", "status": "inactive"}
    unset = shop.client.patch(path, json={"namespaceDefinition": "destination", "namespaceFormat": None}).json()
    assert "namespaceFormat" not in unset
    only = {"configurations": {"streams": [{"name": "visits"}]}}
    assert shop.client.patch(path, json=only).json()["configurations"]["streams"] == [
        {"name": "visits", "syncMode": "full_refresh_overwrite"}
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"namespaceFormat": " "}, "needs a namespaceFormat that is not blank"),
        ({"namespaceDefinition": "custom"}, "namespaceDefinition must be one of"),
        ({"configurations": {"streams": [{"name": "ghosts"}]}}, "has no stream 'ghosts'; it has: orders, visits."),
        ({"configurations": {"streams": [{"name": "orders", "syncMode": "sometimes"}]}}, "syncMode must be one of"),
        ({"schedule": {"scheduleType": "cron"}}, "needs a cronExpression"),
    ],
    ids=["blank format", "namespace definition", "unknown stream", "unknown mode", "cron"],
)
def test_a_connection_that_cannot_run_is_refused(shop, change, sentence):
    body = {
        "sourceId": shop.source_id,
        "destinationId": shop.destination_id,
        "namespaceDefinition": "custom_format",
        "namespaceFormat": "x",
        **change,
    }
    response = shop.client.post("/connections", json=body)
    assert response.status_code == 422
    assert sentence in response.json()["detail"]


def test_two_streams_of_one_table_are_refused(workshop):
    workshop.write("a b", RECORDS)
    workshop.write("a_b", RECORDS)
    body = {"sourceId": workshop.source(), "destinationId": workshop.destination_id}
    response = workshop.client.post("/connections", json=body)
    assert response.status_code == 422
    assert "would both be written to table" in response.json()["detail"]


def test_the_body_that_terraform_sends_is_accepted(shop):
    body = {
        "sourceId": shop.source_id,
        "destinationId": shop.destination_id,
        "namespaceDefinition": "destination",
        "namespaceFormat": None,
        "prefix": "",
        "nonBreakingSchemaUpdatesBehavior": "ignore",
        "schedule": {"scheduleType": "cron", "cronExpression": "0 15 * * * ? UTC"},
        "configurations": {"streams": [{"name": "orders", "syncMode": "full_refresh_overwrite"}]},
    }
    created = shop.client.post("/connections", json=body)
    assert created.status_code == 200
    assert created.json()["schedule"] == {"scheduleType": "cron", "cronExpression": "0 15 * * * ? UTC"}
    assert [stream["name"] for stream in created.json()["configurations"]["streams"]] == ["orders"]


def test_a_source_and_a_destination_of_two_workspaces_are_refused(shop, make_workshop):
    other = make_workshop(shop.server)
    body = {"sourceId": shop.source_id, "destinationId": other.destination_id}
    response = shop.client.post("/connections", json=body)
    assert response.status_code == 422
    assert "two workspaces" in response.json()["detail"]


def test_connections_are_listed_of_the_asked_workspaces_only(shop, make_workshop):
    names = [shop.connect(shop.source_id, name=f"number {n}", prefix=f"{n}_")["name"] for n in range(3)]
    other = make_workshop(shop.server)
    page = shop.client.get("/connections", params={"workspaceIds": shop.workspace_id, "limit": 2}).json()
    following = shop.client.get(page["next"]).json()
    assert [item["name"] for item in page["data"] + following["data"]] == names
    assert shop.client.get("/connections", params={"workspaceIds": other.workspace_id}).json()["data"] == []


def test_the_sdk_creates_reads_changes_and_deletes_a_connection(shop):
    token = shop.client.headers["Authorization"].removeprefix("Bearer ")
    api = AirbyteAPI(server_url=shop.server.url, security=models.Security(bearer_auth=token))
    created = api.connections.create_connection(
        request=models.ConnectionCreateRequest(
            source_id=shop.source_id, destination_id=shop.destination_id, name="by the SDK"
        )
    ).connection_response
    connection = {"connection_id": created.connection_id}
    changed = api.connections.patch_connection(
        request={**connection, "connection_patch_request": models.ConnectionPatchRequest(name="renamed")}
    ).connection_response
    assert changed.name == "renamed"
    assert changed.configurations == created.configurations
    assert api.connections.delete_connection(request=connection).status_code == 204
    listed = api.connections.list_connections(request={"workspace_ids": [shop.workspace_id]})
    assert listed.connections_response.data == []


def test_the_configuration_api_tells_the_catalog_and_what_is_selected(shop):
    connection = shop.connect(shop.source_id, configurations={"streams": [{"name": "orders"}]})
    with shop.server.client("/api/v1") as client:
        details = client.post("/connections/get", json={"connectionId": connection["connectionId"]}).json()
    assert {name: details[name] for name in ("name", "prefix", "destinationId")} == {
        "name": "shop",
        "prefix": "shop_",
        "destinationId": shop.destination_id,
    }
    streams = {entry["stream"]["name"]: entry for entry in details["syncCatalog"]["streams"]}
    assert {name: entry["config"]["selected"] for name, entry in streams.items()} == {"orders": True, "visits": False}
    assert set(streams["orders"]["stream"]["jsonSchema"]["properties"]) == {"id", "updated_at"}
