"""Mappers through the API: what is answered, and what the table holds."""

import hashlib

import pytest
from airbyte_api import AirbyteAPI, errors, models

USERS = {
    "name": "users",
    "json_schema": {
        "type": "object",
        "properties": {
            "id": {"type": ["null", "integer"]},
            "email": {"type": ["null", "string"]},
            "plan": {"type": ["null", "string"]},
            "note": {"type": ["null", "string"]},
            "updated_at": {"type": ["null", "string"], "format": "date-time"},
        },
    },
    "supported_sync_modes": ["full_refresh", "incremental"],
    "source_defined_primary_key": [["id"]],
    "default_cursor_field": ["updated_at"],
}
HASHING = {
    "type": "hashing",
    "mapperConfiguration": {"targetField": "email", "method": "SHA-256", "fieldNameSuffix": "_hashed"},
}
RENAMING = {
    "type": "field-renaming",
    "mapperConfiguration": {"originalFieldName": "id", "newFieldName": "user_id"},
}
FILTERING = {"type": "field-filtering", "mapperConfiguration": {"targetField": "note"}}
ROWS = {
    "type": "row-filtering",
    "mapperConfiguration": {
        "conditions": {
            "type": "NOT",
            "conditions": [{"type": "EQUAL", "fieldName": "plan", "comparisonValue": "internal"}],
        }
    },
}
MAPPERS = [HASHING, RENAMING, FILTERING, ROWS]


def user(number, day=1, plan="pro"):
    return {
        "id": number,
        "email": f"{number}@example.com",
        "plan": plan,
        "note": "secret",
        "updated_at": f"2026-01-{day:02d}T00:00:00Z",
    }


def digest(number):
    return hashlib.sha256(f"{number}@example.com".encode()).hexdigest()


@pytest.fixture
def shop(workshop):
    workshop.write("users", [user(1), user(2, plan="internal"), user(3)])
    workshop.source_id = workshop.source(catalog=str(workshop.write_catalog(USERS)))
    return workshop


def streams(*mappers, mode="incremental_deduped_history"):
    return {"streams": [{"name": "users", "syncMode": mode, "mappers": list(mappers)}]}


def bare(mappers):
    return [{name: value for name, value in mapper.items() if name != "id"} for mapper in mappers]


def test_hashed_renamed_and_filtered_rows_are_deduplicated_over_two_syncs(shop):
    connection = shop.connect(shop.source_id, configurations=streams(*MAPPERS))
    job = shop.sync(connection)
    assert job["status"] == "succeeded", job
    assert job["rowsSynced"] == 2
    assert sorted(shop.rows("shop_users", "user_id, email_hashed, plan")) == [
        (1, digest(1), "pro"),
        (3, digest(3), "pro"),
    ]
    shop.write("users", [user(1), user(3, 2, "free"), user(4, 3), user(5, 3, "internal")])
    assert shop.sync(connection)["status"] == "succeeded"
    assert sorted(shop.rows("shop_users", "user_id, email_hashed, plan")) == [
        (1, digest(1), "pro"),
        (3, digest(3), "free"),
        (4, digest(4), "pro"),
    ]
    stored = shop.rows("shop_users", "to_jsonb(shop_users)")
    assert {name for (row,) in stored for name in row if not name.startswith("_airbyte")} == {
        "user_id",
        "email_hashed",
        "plan",
        "updated_at",
    }


def test_mappers_that_come_later_take_the_column_away_and_a_refresh_remakes_old_rows(shop):
    shop.write("users", [user(1), user(2), user(3, 2)])
    connection = shop.connect(shop.source_id, configurations=streams())
    shop.sync(connection)
    path = f"/connections/{connection['connectionId']}"
    assert shop.client.patch(path, json={"configurations": streams(HASHING)}).status_code == 200
    shop.write("users", [user(1), user(2), user(3, 2), user(4, 3)])
    assert shop.sync(connection)["status"] == "succeeded"
    hashed = dict(shop.rows("shop_users", "id, email_hashed"))
    assert (hashed[1], hashed[4]) == (None, digest(4))
    assert all("email" not in row for (row,) in shop.rows("shop_users", "to_jsonb(shop_users)"))
    body = {"connectionId": connection["connectionId"], "jobType": "refresh"}
    assert shop.wait(shop.client.post("/jobs", json=body).json())["status"] == "succeeded"
    assert dict(shop.rows("shop_users", "id, email_hashed")) == {number: digest(number) for number in range(1, 5)}


def test_terraforms_second_read_shows_no_difference(shop):
    configured = streams(*MAPPERS)
    fields = [{"fieldPath": [name]} for name in ("id", "email", "plan", "note", "updated_at")]
    configured["streams"][0] |= {"includeFiles": False, "destinationObjectName": "Users", "selectedFields": fields}
    connection = shop.connect(shop.source_id, configurations=configured)
    path = f"/connections/{connection['connectionId']}"
    stream = connection["configurations"]["streams"][0]
    answered = stream["mappers"]
    assert {name: stream[name] for name in configured["streams"][0] if name != "mappers"} == {
        name: value for name, value in configured["streams"][0].items() if name != "mappers"
    }
    assert bare(answered) == MAPPERS
    assert all(mapper["id"] for mapper in answered)
    assert shop.client.get(path).json() == connection
    # The next apply sends the ids back, or leaves them out: both are the same plan.
    for again in (connection["configurations"], configured):
        assert shop.client.patch(path, json={"configurations": again}).json() == connection
    listed = shop.client.get("/connections", params={"workspaceIds": shop.workspace_id}).json()["data"]
    assert listed == [connection]


def test_the_configuration_api_shows_and_takes_them(shop):
    connection = shop.connect(shop.source_id, configurations=streams(*MAPPERS))
    answered = connection["configurations"]["streams"][0]["mappers"]
    with shop.server.client("/api/v1") as client:
        body = {"connectionId": connection["connectionId"]}
        catalog = client.post("/connections/get", json=body).json()["syncCatalog"]
        assert catalog["streams"][0]["config"]["mappers"] == answered
        assert "email" in catalog["streams"][0]["stream"]["jsonSchema"]["properties"]
        updated = client.post("/connections/update", json={**body, "syncCatalog": catalog})
        assert updated.json()["syncCatalog"] == catalog
    assert shop.client.get(f"/connections/{connection['connectionId']}").json() == connection


@pytest.mark.slow
def test_the_sdk_sends_them_and_cannot_read_them_from_any_server(shop):
    token = shop.client.headers["Authorization"].removeprefix("Bearer ")
    api = AirbyteAPI(server_url=shop.server.url, security=models.Security(bearer_auth=token), timeout_ms=60_000)
    settings = models.HashingMapperConfiguration(target_field="email", method="SHA-256", field_name_suffix="_hashed")
    mapper = models.ConfiguredStreamMapper(type="hashing", mapper_configuration=settings)
    stream = models.StreamConfiguration(name="users", sync_mode="full_refresh_overwrite", mappers=[mapper])
    request = models.ConnectionCreateRequest(
        source_id=shop.source_id,
        destination_id=shop.destination_id,
        configurations=models.StreamConfigurations(streams=[stream]),
    )
    # Its union of mappers asks each of them for an encryption's algorithm; the connection is made nevertheless.
    with pytest.raises(errors.ResponseValidationError, match="discriminator field algorithm"):
        api.connections.create_connection(request=request)
    (made,) = shop.client.get("/connections", params={"workspaceIds": shop.workspace_id}).json()["data"]
    assert bare(made["configurations"]["streams"][0]["mappers"]) == [HASHING]


@pytest.mark.parametrize(
    ("mappers", "sentence"),
    [
        ([{"type": "encryption", "mapperConfiguration": {"algorithm": "AES", "key": "hunter2"}}], "(encryption)"),
        ([{**HASHING, "mapperConfiguration": {**HASHING["mapperConfiguration"], "method": "MD2"}}], "'MD2'"),
        ([{"type": "field-filtering", "mapperConfiguration": {"targetField": "id"}}], "takes away a key"),
        ([{"type": "field-filtering", "mapperConfiguration": {"targetField": "ghost"}}], "'ghost'"),
    ],
    ids=["encryption", "MD2", "key", "missing"],
)
def test_what_cannot_run_is_422_with_the_reason(shop, mappers, sentence):
    body = {
        "sourceId": shop.source_id,
        "destinationId": shop.destination_id,
        "configurations": streams(*mappers),
    }
    response = shop.client.post("/connections", json=body)
    assert response.status_code == 422, response.text
    assert sentence in response.json()["detail"]
    assert "hunter2" not in response.text


@pytest.mark.slow
def test_a_selection_and_a_mapper_work_together(shop):
    stream = {
        "name": "users",
        "syncMode": "full_refresh_overwrite",
        "selectedFields": [{"fieldPath": ["id"]}, {"fieldPath": ["plan"]}],
        "mappers": [
            {"type": "field-renaming", "mapperConfiguration": {"originalFieldName": "plan", "newFieldName": "note"}}
        ],
    }
    connection = shop.connect(shop.source_id, configurations={"streams": [stream]})
    assert shop.sync(connection)["status"] == "succeeded"
    assert sorted(shop.rows("shop_users", "id, note")) == [(1, "pro"), (2, "internal"), (3, "pro")]
