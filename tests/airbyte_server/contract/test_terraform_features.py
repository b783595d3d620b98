"""What the official provider sends of the newer features: manifests, mappers, selected fields, tags, references."""

import pytest

MAPPERS = [
    {
        "type": "hashing",
        "mapperConfiguration": {"targetField": "name", "method": "SHA-256", "fieldNameSuffix": "_hash"},
    },
    {"type": "field-renaming", "mapperConfiguration": {"originalFieldName": "id", "newFieldName": "person_id"}},
    {"type": "field-filtering", "mapperConfiguration": {"targetField": "age"}},
    {
        "type": "row-filtering",
        "mapperConfiguration": {
            "conditions": {
                "type": "NOT",
                "conditions": [{"type": "EQUAL", "fieldName": "person_id", "comparisonValue": "2"}],
            }
        },
    },
]


@pytest.fixture
def people(workshop, terraform, people_api, people_manifest):
    """A definition of an uploaded manifest and a source of it, as `terraform apply` makes them."""
    provider = terraform("/api/public/v1")
    base = f"/workspaces/{workshop.workspace_id}/definitions/declarative_sources"
    definition = provider.call("POST", base, {"name": "People", "manifest": people_manifest})
    body = {
        "name": "people",
        "workspaceId": workshop.workspace_id,
        "definitionId": definition["id"],
        "configuration": {"base_url": people_api, "api_key": "hunter2-hunter2"},
        "resourceAllocation": {"default": {"memory_limit": "512Mi"}},
    }
    source = provider.call("POST", "/sources", body)
    assert provider.call("GET", f"/sources/{source['sourceId']}") == source
    assert source["definitionId"] == definition["id"] and source["configuration"]["api_key"] == "**********"
    workshop.provider, workshop.source_body, workshop.made = provider, body, source
    return workshop


def connect(people, *streams, **changes):
    body = {
        "sourceId": people.made["sourceId"],
        "destinationId": people.destination_id,
        "name": "people",
        "namespaceDefinition": "custom_format",
        "namespaceFormat": people.namespace,
        "prefix": "people_",
        "nonBreakingSchemaUpdatesBehavior": "propagate_columns",
        "configurations": {"streams": list(streams)},
        **changes,
    }
    return people.provider.call("POST", "/connections", body)


def test_an_uploaded_manifest_becomes_a_source_a_connection_and_rows(people):
    made = connect(people, {"name": "people", "syncMode": "full_refresh_overwrite"})
    assert people.sync(made)["rowsSynced"] == 3
    assert sorted(people.rows("people_people", "id, name")) == [(n, f"person {n}") for n in (1, 2, 3)]
    # The next apply sends what the configuration file has, the secret too.
    path = f"/sources/{people.made['sourceId']}"
    put = {name: people.source_body[name] for name in ("name", "configuration", "resourceAllocation")}
    assert people.provider.call("PUT", path, put) == people.made == people.provider.call("GET", path)


def test_mappers_selected_fields_and_tags_are_answered_as_they_were_sent(people):
    tag = people.client.post(
        "/tags", json={"name": "pii", "color": "FF0000", "workspaceId": people.workspace_id}
    ).json()
    stream = {
        "name": "people",
        "syncMode": "full_refresh_overwrite",
        "selectedFields": [{"fieldPath": [name]} for name in ("id", "name", "age")],
        "mappers": MAPPERS,
    }
    made = connect(people, stream, tags=[tag])
    path = f"/connections/{made['connectionId']}"
    assert people.provider.call("GET", path) == made
    (answered,) = made["configurations"]["streams"]
    assert answered["selectedFields"] == stream["selectedFields"]
    assert [{name: each[name] for name in ("type", "mapperConfiguration")} for each in answered["mappers"]] == MAPPERS
    assert made["tags"] == [tag]
    # Values that the server filled are stored at the next refresh, and sent back with the change after it.
    sent_back = {name: made[name] for name in ("configurations", "schedule", "prefix", "status", "tags")}
    again = {**sent_back, "namespaceDefinition": "custom_format", "namespaceFormat": people.namespace}
    assert people.provider.call("PATCH", path, again) == made
    assert people.sync(made)["status"] == "succeeded"
    assert sorted(people.rows("people_people", "person_id, length(name_hash)")) == [(1, 64), (3, 64)]


def test_a_filled_key_is_accepted_when_it_comes_back(shop, terraform):
    provider = terraform("/v1")
    stream = {"name": "orders", "syncMode": "incremental_deduped_history"}
    body = {"sourceId": shop.source(catalog=shop.configuration["catalog"]), "destinationId": shop.destination_id}
    made = provider.call("POST", "/connections", {**body, "configurations": {"streams": [stream]}})
    (filled,) = made["configurations"]["streams"]
    assert "selectedFields" not in filled, "an expanded list would freeze the columns"
    assert "namespace" not in filled
    filled |= {"primaryKey": [["id"]], "cursorField": ["updated_at"]}
    changed = provider.call("PATCH", f"/connections/{made['connectionId']}", {"configurations": {"streams": [filled]}})
    assert changed["configurations"]["streams"] == [filled]
    assert provider.call("GET", f"/connections/{made['connectionId']}") == changed


def test_a_change_that_names_no_streams_keeps_them(shop, terraform):
    provider = terraform("/v1")
    stream = {"name": "orders", "syncMode": "full_refresh_append"}
    body = {"sourceId": shop.source(catalog=shop.configuration["catalog"]), "destinationId": shop.destination_id}
    made = provider.call("POST", "/connections", {**body, "configurations": {"streams": [stream]}})
    path = f"/connections/{made['connectionId']}"
    change = {
        "name": "renamed",
        "namespaceFormat": None,
        "schedule": {"scheduleType": "cron", "cronExpression": "0 0 4 * * ?"},
    }
    renamed = provider.call("PATCH", path, change)
    assert renamed["configurations"] == made["configurations"]
    assert renamed["schedule"] == {"scheduleType": "cron", "cronExpression": "0 0 4 * * ? UTC"}
    assert provider.call("GET", path) == renamed


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"namespaceDefinition": "custom", "namespaceFormat": "x"}, "namespaceDefinition"),
        ({"namespaceDefinition": "custom_format", "namespaceFormat": ""}, "namespaceFormat"),
        ({"status": "broken"}, "status"),
        ({"schedule": {"scheduleType": "cron", "cronExpression": "0 15 * * * ? Europe/Berlin"}}, "UTC"),
        ({"configurations": {"streams": [{"name": "orders", "syncMode": "sometimes"}]}}, "syncMode"),
        ({"configurations": {"streams": [{"name": "nobody"}]}}, "nobody"),
    ],
    ids=["definition", "blank format", "status", "time zone", "mode", "stream"],
)
def test_what_an_airbyte_would_take_wrongly_is_refused_with_its_reason(shop, terraform, change, word):
    body = {"sourceId": shop.source(catalog=shop.configuration["catalog"]), "destinationId": shop.destination_id}
    response = terraform("/v1").send("POST", "/connections", {**body, **change})
    assert response.status_code == 422
    assert word.lower() in response.json()["detail"].lower()


def test_a_page_of_connections_by_tag_as_the_data_source_asks(shop, terraform):
    provider = terraform("/v1")
    tag = shop.client.post("/tags", json={"name": "a", "color": "00FF00", "workspaceId": shop.workspace_id}).json()
    source_id = shop.source(catalog=shop.configuration["catalog"])
    tagged = shop.connect(source_id, tags=[tag])
    shop.connect(source_id, prefix="other_")
    query = f"workspaceIds={shop.workspace_id}&includeDeleted=false&limit=20&offset=0"
    assert len(provider.call("GET", f"/connections?{query}")["data"]) == 2
    assert provider.call("GET", f"/connections?{query}&tagIds={tag['tagId']}")["data"] == [tagged]


def test_a_workspaces_optional_fields_come_back(terraform):
    provider = terraform("/v1")
    told = {"failure": {"email": {"enabled": True}, "webhook": {"enabled": True, "url": "http://127.0.0.1:1/hook"}}}
    body = {"name": "acme", "organizationId": "00000000-0000-0000-0000-000000000000", "regionId": "eu"}
    made = provider.call("POST", "/workspaces", {**body, "notifications": told})
    path = f"/workspaces/{made['workspaceId']}"
    assert made["notifications"] == told
    assert provider.call("GET", path) == made
    silent = {"failure": {"email": {"enabled": False}}}
    changed = provider.call("PATCH", path, {"name": "acme", "notifications": silent, "regionId": "eu"})
    assert changed == {**made, "notifications": silent} == provider.call("GET", path)
