"""A workspace of two streams, and the three kinds of client that an Airbyte has."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from airbyte_api import AirbyteAPI, models

JsonObject = dict[str, Any]

ORDERS = {
    "name": "orders",
    "json_schema": {
        "type": "object",
        "properties": {
            "id": {"type": ["null", "integer"]},
            "updated_at": {"type": ["null", "string"], "format": "date-time"},
        },
    },
    "supported_sync_modes": ["full_refresh", "incremental"],
    "source_defined_primary_key": [["id"]],
    "default_cursor_field": ["updated_at"],
}
VISITS = {
    "name": "visits",
    "json_schema": {"type": "object", "properties": {"page": {"type": ["null", "string"]}}},
    "supported_sync_modes": ["full_refresh"],
}


@pytest.fixture
def shop(workshop):
    """A workshop with two streams on disk."""
    workshop.write("orders", [{"id": n, "updated_at": f"2026-01-0{n}T00:00:00Z"} for n in (1, 2, 3)])
    workshop.write("visits", [{"page": "/"}, {"page": "/cart"}])
    workshop.configuration = {
        "sourceType": "file",
        "path": str(workshop.folder),
        "catalog": str(workshop.write_catalog(ORDERS, VISITS)),
    }
    return workshop


@pytest.fixture
def sdk(server):
    """airbyte-api with client credentials, as its documentation shows it."""
    credentials = models.SchemeClientCredentials(
        client_id="client-of-the-tests",
        client_secret="secret-of-the-tests",
        token_url=f"{server.url}/applications/token",
    )
    security = models.Security(client_credentials=credentials)
    return AirbyteAPI(server_url=server.url, security=security, client=httpx.Client(timeout=60))


class Terraform:
    """Speaks HTTP as airbytehq/airbyte 1.2.0 does: its headers, its accepted statuses, no retries."""

    def __init__(self, root: str, prefix: str) -> None:
        token = httpx.post(
            f"{root}{prefix}/applications/token",
            data={
                "grant_type": "client_credentials",
                "client_id": "client-of-the-tests",
                "client_secret": "secret-of-the-tests",
            },
            timeout=60,
        ).json()
        assert token["token_type"].lower() == "bearer"
        assert token["expires_in"] >= 300
        self._http = httpx.Client(
            base_url=root + prefix,
            headers={
                "Authorization": f"Bearer {token['access_token']}",
                "User-Agent": "speakeasy-sdk/terraform 1.2.0 2.881.4 1.0.0 github.com/airbytehq/terraform-provider",
            },
            timeout=60,
        )

    def call(self, method: str, path: str, body: JsonObject | None = None) -> JsonObject:
        """A call that must be 200 with a JSON object."""
        response = self.send(method, path, body)
        assert response.status_code == 200, (response.status_code, response.text)
        assert response.headers["content-type"].startswith("application/json")
        answer = response.json()
        assert isinstance(answer, dict)
        return answer

    def send(self, method: str, path: str, body: JsonObject | None = None) -> httpx.Response:
        """A call, whatever it answers."""
        headers = {"Accept": "*/*" if method == "DELETE" else "application/json"}
        return self._http.request(method, path, json=body, headers=headers)


@pytest.fixture
def terraform(server):
    """Makes a provider for a base path."""
    return lambda prefix: Terraform(server.root, prefix)


@pytest.fixture(scope="session")
def people_api() -> Iterator[str]:
    """Address of an API that lists three people, whatever is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            people = [{"id": number, "name": f"person {number}", "age": 40} for number in (1, 2, 3)]
            content = json.dumps(people).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def people_manifest() -> JsonObject:
    """A connector of that API."""
    fields = {"id": {"type": "integer"}, "name": {"type": "string"}, "age": {"type": "integer"}}
    requester = {"type": "HttpRequester", "url_base": "{{ config['base_url'] }}", "path": "/", "http_method": "GET"}
    selector = {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": []}}
    stream = {
        "type": "DeclarativeStream",
        "name": "people",
        "primary_key": ["id"],
        "retriever": {"type": "SimpleRetriever", "requester": requester, "record_selector": selector},
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": fields}},
    }
    wanted = {"base_url": {"type": "string"}, "api_key": {"type": "string", "airbyte_secret": True}}
    return {
        "type": "DeclarativeSource",
        "version": "6.0.0",
        "check": {"type": "CheckStream", "stream_names": ["people"]},
        "streams": [stream],
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": wanted}},
    }
