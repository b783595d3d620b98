"""Each resource as the official provider creates, re-reads, changes and destroys it."""

import pytest

PREFIXES = ["/api/public/v1", "/v1", "/api/v1"]
STREAMS = [
    {
        "name": "orders",
        "syncMode": "incremental_deduped_history",
        "primaryKey": [["id"]],
        "cursorField": ["updated_at"],
    },
    {"name": "visits", "syncMode": "full_refresh_overwrite"},
]


def connection_body(**changes):
    return {
        "name": "shop",
        "configurations": {"streams": STREAMS},
        "schedule": {"scheduleType": "cron", "cronExpression": "0 15 * * * ? UTC"},
        "namespaceDefinition": "custom_format",
        "namespaceFormat": "tenant_x",
        "prefix": "shop_",
        "nonBreakingSchemaUpdatesBehavior": "propagate_columns",
        "status": "active",
        **changes,
    }


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_plan_is_applied_read_again_without_a_difference_and_destroyed(shop, terraform, prefix):
    provider = terraform(prefix)
    workspace = provider.call("POST", "/workspaces", {"name": "acme", "notifications": {}})
    assert {"workspaceId", "name", "dataResidency", "notifications"} <= workspace.keys()
    workspace_id = workspace["workspaceId"]

    source = provider.call(
        "POST", "/sources", {"name": "shop", "workspaceId": workspace_id, "configuration": shop.configuration}
    )
    destination_configuration = {
        "destinationType": "postgres",
        "host": "127.0.0.1",
        "port": 5432,
        "database": "warehouse",
        "username": "loader",
        "password": "hunter2-hunter2",
        "schema": workspace_id,
    }
    body = {"name": "warehouse", "workspaceId": workspace_id, "configuration": destination_configuration}
    destination = provider.call("POST", "/destinations", body)
    for kind, made in (("source", source), ("destination", destination)):
        assert {f"{kind}Id", "name", f"{kind}Type", "definitionId", "workspaceId", "configuration"} <= made.keys()
        assert isinstance(made["createdAt"], int)
        assert provider.call("GET", f"/{kind}s/{made[f'{kind}Id']}") == made

    ids = {"sourceId": source["sourceId"], "destinationId": destination["destinationId"]}
    connection = provider.call("POST", "/connections", {**connection_body(), **ids})
    path = f"/connections/{connection['connectionId']}"
    for name, value in connection_body().items():
        assert connection[name] == value, name
    assert provider.call("GET", path) == connection

    # The next apply sends back what the server answered, with the change.
    changed = provider.call("PATCH", path, connection_body(name="renamed", namespaceFormat="tenant_y"))
    assert changed == {**connection, "name": "renamed", "namespaceFormat": "tenant_y"}
    assert provider.call("GET", path) == changed
    fewer = provider.call("PATCH", path, connection_body(configurations={"streams": STREAMS[:1]}))
    assert fewer["configurations"]["streams"] == STREAMS[:1]

    for kind, name, configuration in (
        ("source", "shop two", shop.configuration),
        ("destination", "warehouse two", destination_configuration),
    ):
        path_of = f"/{kind}s/{ids[f'{kind}Id']}"
        put = provider.call("PUT", path_of, {"name": name, "configuration": configuration})
        assert put["name"] == name
        assert provider.call("GET", path_of) == put
    renamed = provider.call("PATCH", f"/workspaces/{workspace_id}", {"name": "acme two"})
    assert provider.call("GET", f"/workspaces/{workspace_id}") == renamed

    for target in (path, f"/sources/{ids['sourceId']}", f"/destinations/{ids['destinationId']}"):
        assert provider.send("DELETE", target).status_code == 204
        assert provider.send("DELETE", target).status_code == 404
        assert provider.send("GET", target).status_code == 404
    assert provider.send("DELETE", f"/workspaces/{workspace_id}").status_code == 204
    assert provider.send("GET", f"/workspaces/{workspace_id}").status_code == 404


def test_a_connection_of_defaults_has_no_difference_either(shop, terraform):
    provider = terraform("/v1")
    source_id = shop.source(catalog=shop.configuration["catalog"])
    body = {
        "sourceId": source_id,
        "destinationId": shop.destination_id,
        "namespaceDefinition": "destination",
        "namespaceFormat": None,
        "prefix": "",
        "nonBreakingSchemaUpdatesBehavior": "ignore",
    }
    connection = provider.call("POST", "/connections", body)
    assert connection["namespaceDefinition"] == "destination"
    assert connection.get("namespaceFormat") is None
    assert connection["schedule"] == {"scheduleType": "manual"}
    assert connection["status"] == "active"
    path = f"/connections/{connection['connectionId']}"
    state = provider.call("GET", path)
    assert state == connection
    answered = {name: state[name] for name in ("name", "status", "schedule", "configurations", "prefix")}
    again = {**answered, "namespaceDefinition": "destination", "namespaceFormat": None, "tags": state["tags"]}
    assert provider.call("PATCH", path, again) == connection
    listed = provider.call(
        "GET", f"/connections?workspaceIds={shop.workspace_id}&includeDeleted=false&limit=20&offset=0"
    )
    assert listed == {"data": [connection], "next": "", "previous": ""}


def test_masked_configurations_cause_no_loss_when_they_are_sent_again(shop, terraform):
    provider = terraform("/api/public/v1")
    path = f"/destinations/{shop.destination_id}"
    shown = provider.call("GET", path)
    assert set(shown["configuration"]["password"]) == {"*"}
    provider.call("PUT", path, {"name": shown["name"], "configuration": shown["configuration"]})
    connection = shop.connect(shop.source(catalog=shop.configuration["catalog"]))
    assert shop.sync(connection)["status"] == "succeeded"


def test_definitions_live_and_die(shop, terraform, small_manifest):
    provider = terraform("/v1")
    base = f"/workspaces/{shop.workspace_id}/definitions"
    declarative = provider.call("POST", f"{base}/declarative_sources", {"name": "Shop", "manifest": small_manifest})
    assert declarative == {"id": declarative["id"], "name": "Shop", "manifest": small_manifest, "version": 1}
    path = f"{base}/declarative_sources/{declarative['id']}"
    assert provider.call("GET", path) == declarative
    changed = provider.call("PUT", path, {"name": "Shop two", "manifest": small_manifest})
    assert changed == {**declarative, "name": "Shop two", "version": 2}

    image = {"name": "Ours", "dockerRepository": "airbyte/destination-postgres", "dockerImageTag": "3.0.10"}
    made = provider.call("POST", f"{base}/destinations", image)
    assert made == {**image, "id": made["id"]}
    own = f"{base}/destinations/{made['id']}"
    body = {"name": "Ours too", "dockerImageTag": "3.0.11"}
    assert provider.call("PUT", own, body) == {**made, **body} == provider.call("GET", own)

    for target in (path, own):
        assert provider.send("DELETE", target).status_code == 200
        assert provider.send("DELETE", target).status_code == 404
        assert provider.send("GET", target).status_code == 404


def test_a_refused_body_is_422_with_a_reason_and_without_its_secrets(shop, terraform):
    provider = terraform("/v1")
    for configuration in ("hunter2-hunter2", {"sourceType": "s3", "key": "hunter2-hunter2"}):
        body = {"workspaceId": shop.workspace_id, "name": "x", "configuration": configuration}
        response = provider.send("POST", "/sources", body)
        assert response.status_code == 422
        assert response.json()["detail"].endswith(".")
        assert "hunter2" not in response.text
