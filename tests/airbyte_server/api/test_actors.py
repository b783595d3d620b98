from uuid import uuid4

import httpx
import orjson
import psycopg
import pytest
from airbyte_server.actors.destinations import check_reachable
from airbyte_server.errors import PermanentError
from airbyte_server.secrets.box import SecretBox
from cryptography.fernet import Fernet

POSTGRES = {
    "destinationType": "postgres",
    "host": "127.0.0.1",
    "database": "warehouse",
    "username": "loader",
    "password": "hunter2-in-the-test",
    "schema": "tenant_acme",
}


def source(workshop, configuration, **more):
    body = {"name": "shop", "workspaceId": workshop.workspace_id, "configuration": configuration, **more}
    return workshop.client.post("/sources", json=body)


def destination(workshop, configuration, **more):
    body = {"name": "warehouse", "workspaceId": workshop.workspace_id, "configuration": configuration, **more}
    return workshop.client.post("/destinations", json=body)


def test_a_source_is_answered_with_all_its_fields(workshop):
    created = source(workshop, {"sourceType": "file", "path": "/data"}).json()
    assert {name: type(value) for name, value in created.items()} == {
        "sourceId": str,
        "name": str,
        "sourceType": str,
        "definitionId": str,
        "workspaceId": str,
        "configuration": dict,
        "createdAt": int,
    }
    assert workshop.client.get(f"/sources/{created['sourceId']}").json() == created
    by_id = source(workshop, {"path": "/data"}, definitionId=created["definitionId"]).json()
    assert by_id["sourceType"] == "file"


@pytest.mark.parametrize(
    ("configuration", "more"),
    [({"sourceType": "mystery"}, {}), ({}, {}), ({"sourceType": "file"}, {"definitionId": str(uuid4())})],
    ids=["unknown type", "no type", "unknown definition"],
)
def test_an_unknown_source_type_is_refused_and_the_known_ones_are_named(workshop, configuration, more):
    response = source(workshop, configuration, **more)
    assert response.status_code == 422
    assert "faker, file" in response.json()["detail"]


def test_secrets_are_encrypted_at_rest_and_masked_in_answers(workshop):
    created = destination(workshop, POSTGRES)
    assert created.json()["configuration"]["password"] == "**********"
    assert POSTGRES["password"] not in created.text
    assert POSTGRES["password"] not in workshop.client.get("/destinations").text
    with psycopg.connect(workshop.server.database_url) as connection:
        rows = connection.execute("select actors::text, configuration from airbyte.actors").fetchall()
    assert all(POSTGRES["password"] not in text and b"hunter2" not in bytes(sealed) for text, sealed in rows)
    assert POSTGRES["password"] not in workshop.server.log.read_text()


def test_what_the_first_version_stored_is_read_and_sealed_anew_when_it_changes(workshop):
    path = f"/destinations/{workshop.destination_id}"
    before = workshop.client.get(path).json()
    clear = SecretBox(workshop.server.secret_key)

    def stored(connection):
        query = "select configuration from airbyte.actors where actor_id = %s"
        return bytes(connection.execute(query, [workshop.destination_id]).fetchone()[0])

    with psycopg.connect(workshop.server.database_url, autocommit=True) as connection:
        configuration = clear.open(stored(connection), purpose=workshop.destination_id)
        old = Fernet(workshop.server.secret_key).encrypt(orjson.dumps(configuration))
        change = "update airbyte.actors set configuration = %s where actor_id = %s"
        connection.execute(change, [old, workshop.destination_id])
        assert workshop.client.get(path).json() == before
        assert workshop.client.patch(path, json={"name": before["name"]}).json() == before
        assert stored(connection).startswith(b"aes-256-gcm:1:")
        assert clear.open(stored(connection), purpose=workshop.destination_id) == configuration


def test_a_reference_is_shown_and_read_only_when_a_job_runs(workshop):
    secret = workshop.server.secret_directory / "password"
    password = workshop.client.get(f"/destinations/{workshop.destination_id}").json()["configuration"]["password"]
    reference = {"password": "secret_coordinate::file/password"}
    path = f"/destinations/{workshop.destination_id}"
    assert set(password) == {"*"}
    answered = workshop.client.patch(path, json={"configuration": reference}).json()
    assert answered["configuration"]["password"] == reference["password"]
    workshop.write("orders", [{"id": 1}])
    connection = workshop.connect(workshop.source())
    failed = workshop.sync(connection)
    assert failed["status"] == "failed"
    assert "which the configuration names at password, cannot be read" in failed["failureReason"]
    secret.write_text(httpx.URL(workshop.server.loader_url).password + "\n")
    assert workshop.sync(connection)["status"] == "succeeded"
    for unknown in ("vault/x", "env/AIRBYTE_SERVER_SECRET_KEY", "env/PATH"):
        change = {"configuration": {"password": f"secret_coordinate::{unknown}"}}
        assert workshop.client.patch(path, json=change).status_code == 422


def test_the_servers_own_password_goes_to_no_destination(workshop, monkeypatch):
    url = httpx.URL(workshop.server.loader_url)
    place = {"host": url.host, "port": url.port, "database": url.path[1:], "username": url.username}
    check_reachable({**place, "password": url.password})
    monkeypatch.setenv("PGPASSWORD", url.password)
    with pytest.raises(PermanentError, match="no password supplied"):
        check_reachable(place)


@pytest.mark.parametrize("value", [str(2**64), '"\\ud800"', "[" * 300 + "]" * 300], ids=["number", "half", "deep"])
def test_a_configuration_that_cannot_be_stored_is_refused(workshop, value):
    text = f'{{"name": "shop", "workspaceId": "{workshop.workspace_id}", "configuration": '
    text += f'{{"sourceType": "file", "path": "/data", "more": {value}}}}}'
    refused = workshop.client.post("/sources", content=text, headers={"Content-Type": "application/json"})
    assert refused.status_code == 422
    assert "cannot be stored" in refused.json()["detail"]


def test_resources_are_answered_as_they_were_asked_for(workshop):
    allocation = {"default": {"cpu_request": "1"}}
    configuration = {"sourceType": "file", "path": "/data"}
    created = source(workshop, configuration, resourceAllocation=allocation).json()
    assert created["resourceAllocation"] == allocation
    body = {"name": "shop", "configuration": configuration}
    assert workshop.client.put(f"/sources/{created['sourceId']}", json=body).json() == created


def test_a_mask_that_comes_back_keeps_the_stored_secret(workshop):
    client = workshop.client
    path = f"/destinations/{workshop.destination_id}"
    shown = client.get(path).json()["configuration"]
    assert client.put(path, json={"name": "renamed", "configuration": shown}).status_code == 200
    assert client.patch(path, json={"configuration": {"schema": workshop.namespace}}).json()["name"] == "renamed"
    workshop.write("orders", [{"id": 1}])
    connection = workshop.connect(workshop.source())
    assert workshop.sync(connection)["status"] == "succeeded"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"host": None}, "host"),
        ({"database": ""}, "database"),
        ({"port": 0}, "port"),
        ({"ssl_mode": "require"}, "ssl_mode"),
        ({"password": 7}, "password"),
        ({"schema": "secret_coordinate::env/AIRBYTE_SECRET_X"}, "no secret"),
        ({"tunnel_method": {"tunnel_method": "SSH_KEY_AUTH"}}, "tunnel"),
        ({"destinationType": "snowflake"}, "Known types: postgres."),
    ],
    ids=["no host", "no database", "port", "ssl mode", "password", "schema", "tunnel", "type"],
)
def test_a_destination_that_cannot_connect_is_refused(workshop, change, sentence):
    response = destination(workshop, {**POSTGRES, **change})
    assert response.status_code == 422
    assert sentence in response.json()["detail"]
    assert POSTGRES["password"] not in response.text


def test_a_source_keeps_its_type(workshop):
    created = source(workshop, {"sourceType": "file", "path": "/data"}).json()
    body = {"name": "x", "configuration": {"sourceType": "other"}}
    assert workshop.client.put(f"/sources/{created['sourceId']}", json=body).status_code == 422


def test_a_deleted_source_is_gone_with_its_connections(workshop):
    workshop.write("orders", [{"id": 1}])
    source_id = workshop.source()
    connection = workshop.connect(source_id)
    assert workshop.client.delete(f"/sources/{source_id}").status_code == 204
    for path in (f"/sources/{source_id}", f"/connections/{connection['connectionId']}"):
        assert workshop.client.get(path).status_code == 404


@pytest.mark.parametrize("kind", ["sources", "destinations", "connections"])
def test_an_unknown_id_is_404(workshop, kind):
    for method in ("get", "delete"):
        response = getattr(workshop.client, method)(f"/{kind}/{uuid4()}")
        assert response.status_code == 404
        assert "There is no" in response.json()["detail"]


def test_a_source_needs_a_workspace_that_exists(workshop):
    body = {"name": "shop", "workspaceId": str(uuid4()), "configuration": {"sourceType": "file", "path": "/data"}}
    assert workshop.client.post("/sources", json=body).status_code == 404
