import base64
import time

import httpx
import pytest
from airbyte_api import AirbyteAPI, models
from airbyte_server.secrets.box import SecretBox
from cryptography.fernet import Fernet

ID, SECRET = "client-of-the-tests", "secret-of-the-tests"


@pytest.mark.parametrize("path", ["/api/public/v1", "/v1", "/api/v1", ""])
def test_a_token_is_given_for_a_form_and_for_json(server, path):
    credentials = {"client_id": ID, "client_secret": SECRET}
    for body in ({"json": credentials}, {"data": {**credentials, "grant_type": "client_credentials"}}):
        response = httpx.post(f"{server.root}{path}/applications/token", **body)
        assert response.status_code == 200
        token = response.json()
        assert token["token_type"] == "Bearer"
        assert token["expires_in"] >= 300
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        assert httpx.get(f"{server.url}/workspaces", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "credentials",
    [{"client_id": ID, "client_secret": "wrong"}, {"client_id": "wrong", "client_secret": SECRET}, {}, [], "text"],
    ids=["wrong secret", "wrong id", "nothing", "list", "string"],
)
def test_wrong_credentials_get_401_and_are_not_echoed(server, credentials):
    response = httpx.post(f"{server.url}/applications/token", json=credentials)
    assert response.status_code == 401
    assert "wrong" in response.json()["detail"]
    assert SECRET not in response.text


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer nonsense",
        "Bearer " + base64.urlsafe_b64encode(b"x" * 80).decode(),
        "Basic " + base64.b64encode(f"{ID}:{SECRET}".encode()).decode(),
    ],
    ids=["nothing", "empty", "nonsense", "another key", "basic"],
)
@pytest.mark.parametrize("path", ["/api/public/v1/workspaces", "/v1/jobs", "/api/public/v1/streams"])
def test_without_a_valid_bearer_everything_is_401(server, path, header):
    response = httpx.get(server.root + path, headers={"Authorization": header} if header else {})
    assert response.status_code == 401
    assert response.json()["detail"].endswith("applications/token.")


def test_the_configuration_api_needs_a_token_too(server):
    assert httpx.post(f"{server.root}/api/v1/jobs/get", json={"id": 1}).status_code == 401


@pytest.mark.parametrize("path", ["/api/public/v1/health", "/v1/health", "/api/v1/health"])
def test_health_needs_no_token(server, path):
    assert httpx.get(server.root + path).json() == {"available": True}


def test_the_sdk_logs_in_with_client_credentials(server):
    credentials = models.SchemeClientCredentials(
        client_id=ID, client_secret=SECRET, token_url=f"{server.url}/applications/token"
    )
    api = AirbyteAPI(server_url=server.url, security=models.Security(client_credentials=credentials))
    created = api.workspaces.create_workspace(request={"name": "by the SDK"})
    found = api.workspaces.get_workspace(request={"workspace_id": created.workspace_response.workspace_id})
    assert found.workspace_response.name == "by the SDK"


@pytest.mark.parametrize(("age", "status"), [(3500, 200), (3700, 401)], ids=["valid", "expired"])
def test_a_token_is_valid_for_its_whole_time_and_no_longer(server, age, status):
    claims = {"client": ID, "issued_at": time.time() - age}
    token = base64.urlsafe_b64encode(SecretBox(server.secret_key).seal(claims, purpose="token")).decode()
    response = httpx.get(f"{server.url}/workspaces", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == status


def test_a_token_of_the_first_version_is_none(server):
    claims = b'{"subject": "airbyte_server token", "client": "client-of-the-tests"}'
    token = base64.urlsafe_b64encode(Fernet(server.secret_key).encrypt(claims)).decode()
    assert httpx.get(f"{server.url}/workspaces", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_sealed_configuration_is_no_token(server, workshop):
    """Both are sealed with one key; only what was sealed as a token may open the door."""
    import psycopg

    with psycopg.connect(server.database_url) as connection:
        sealed = connection.execute("select configuration from airbyte.actors limit 1").fetchone()[0]
    headers = {"Authorization": f"Bearer {base64.urlsafe_b64encode(bytes(sealed)).decode()}"}
    assert httpx.get(f"{server.url}/workspaces", headers=headers).status_code == 401
