"""A shop's API over HTTP, and the manifest of a connector for it."""

import copy
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import httpx
import pytest

JsonObject = dict[str, Any]
API_KEY = "sk_live_5f2c9a"


@dataclass
class ShopApi:
    """Orders with a cursor, customers with their notes, and whatever trouble a test asks for."""

    url: str = ""
    orders: list[JsonObject] = field(default_factory=list)
    customers: list[JsonObject] = field(default_factory=list)
    notes: dict[int, list[JsonObject]] = field(default_factory=dict)
    troubles: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=dict)
    """Path → statuses and headers that are answered first."""
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    issued: list[str] = field(default_factory=lambda: [API_KEY])
    """Refresh tokens; each is good once, and its access token until the next."""
    hold: threading.Event = field(default_factory=threading.Event)
    """`/slow` answers once it is set."""

    def asked(self, path: str) -> list[dict[str, str]]:
        """The queries of the requests to a path."""
        return [query for asked, query in self.requests if asked == path]

    def answer(self, path: str, query: dict[str, str], key: str | None) -> tuple[int, dict[str, str], Any]:
        self.requests.append((path, query))
        if self.troubles.get(path):
            status, headers = self.troubles[path].pop(0)
            return status, headers, {"error": f"trouble for {key}"}
        if key not in (f"Bearer {API_KEY}", f"Bearer for {self.issued[-1]}"):
            return 401, {}, {"error": "wrong key"}
        if path == "/slow":
            self.hold.wait(60)
        rows = self._rows(path, query)
        if rows is None:
            return 404, {}, {"error": f"no {path}"}
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 1000))
        return 200, {}, {"data": rows[offset : offset + limit]}

    def renew(self, body: str) -> tuple[int, Any]:
        """A new pair of tokens for the newest refresh token."""
        if dict(parse_qsl(body)).get("refresh_token") != self.issued[-1]:
            return 400, {"error": "invalid_grant"}
        self.issued.append(f"renewed_{len(self.issued)}_{uuid4().hex}")
        return 200, {"access_token": f"for {self.issued[-1]}", "refresh_token": self.issued[-1], "expires_in": 0}

    def _rows(self, path: str, query: dict[str, str]) -> list[JsonObject] | None:
        if path == "/orders":
            return [order for order in self.orders if order["updated"] >= query.get("since", "")]
        if path in ("/customers", "/slow"):
            return self.customers
        if path.startswith("/customers/") and path.endswith("/notes"):
            return self.notes.get(int(path.split("/")[2]), [])
        return None


def _handler(api: ShopApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            key = self.headers.get("Authorization")
            status, headers, body = api.answer(address.path, dict(parse_qsl(address.query)), key)
            self._send(status, headers, body)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, answer = api.renew(body)
            self._send(status, {"Content-Type": "application/json"}, answer)

        def _send(self, status: int, headers: dict[str, str], body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@pytest.fixture
def api() -> Iterator[ShopApi]:
    """A running shop with 250 orders, 3 customers and 2 notes of each."""
    shop = ShopApi()
    shop.orders = [order(number) for number in range(250)]
    shop.customers = [{"id": number, "name": f"customer {number}"} for number in range(3)]
    shop.notes = {number: [{"id": 10 * number + one, "text": f"note {one}"} for one in range(2)] for number in range(3)}
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(shop))
    shop.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield shop
    shop.hold.set()
    server.shutdown()
    server.server_close()


def order(number: int) -> JsonObject:
    """An order; later ones have a higher cursor."""
    return {"id": number, "updated": f"2024-03-{number // 10 + 1:02d}T00:00:00Z", "total": number * 1.5}


def _stream(name: str, path: str, fields: JsonObject, **more: Any) -> JsonObject:
    return {
        "type": "DeclarativeStream",
        "name": name,
        "primary_key": ["id"],
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"$ref": "#/definitions/requester", "path": path},
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": ["data"]},
            },
            "paginator": {"$ref": "#/definitions/paginator"},
        },
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": fields}},
        **more,
    }


@pytest.fixture
def manifest() -> JsonObject:
    """Streams orders (incremental), customers, and notes (of each customer)."""
    text, number = {"type": ["null", "string"]}, {"type": ["null", "integer"]}
    moment = {"type": ["null", "string"], "format": "date-time"}
    query = {"type": "RequestOption", "inject_into": "request_parameter"}
    orders = _stream("orders", "/orders", {"id": number, "updated": moment, "total": {"type": ["null", "number"]}})
    orders["incremental_sync"] = {
        "type": "DatetimeBasedCursor",
        "cursor_field": "updated",
        "datetime_format": "%Y-%m-%dT%H:%M:%SZ",
        "start_datetime": {
            "type": "MinMaxDatetime",
            "datetime": "{{ config['start_date'] }}",
            "datetime_format": "%Y-%m-%dT%H:%M:%SZ",
        },
        "start_time_option": {**query, "field_name": "since"},
    }
    notes = _stream("notes", "/customers/{{ stream_partition.customer_id }}/notes", {"id": number, "text": text})
    notes["retriever"]["partition_router"] = {
        "type": "SubstreamPartitionRouter",
        "parent_stream_configs": [
            {
                "type": "ParentStreamConfig",
                "parent_key": "id",
                "partition_field": "customer_id",
                "stream": "#/definitions/customers",
            }
        ],
    }
    properties = {
        "base_url": {"type": "string"},
        "access": {"type": "object", "properties": {"phrase": {"type": "string", "airbyte_secret": True}}},
        "start_date": {"type": "string", "default": "2024-01-01T00:00:00Z"},
    }
    return copy.deepcopy(
        {
            "version": "6.0.0",
            "type": "DeclarativeSource",
            "check": {"type": "CheckStream", "stream_names": ["customers"]},
            "definitions": {
                "requester": {
                    "type": "HttpRequester",
                    "url_base": "{{ config['base_url'] }}",
                    "http_method": "GET",
                    "authenticator": {"type": "BearerAuthenticator", "api_token": "{{ config['access']['phrase'] }}"},
                },
                "paginator": {
                    "type": "DefaultPaginator",
                    "page_size_option": {**query, "field_name": "limit"},
                    "page_token_option": {**query, "field_name": "offset"},
                    "pagination_strategy": {"type": "OffsetIncrement", "page_size": 100},
                },
                "customers": _stream("customers", "/customers", {"id": number, "name": text}),
            },
            "streams": [orders, {"$ref": "#/definitions/customers"}, notes],
            "spec": {
                "type": "Spec",
                "connection_specification": {
                    "type": "object",
                    "required": ["base_url", "access"],
                    "properties": properties,
                },
            },
        }
    )


@pytest.fixture
def configuration(api: ShopApi) -> JsonObject:
    """What the manifest needs to reach the shop."""
    return {"base_url": api.url, "access": {"phrase": API_KEY}, "start_date": "2024-01-01T00:00:00Z"}


@pytest.fixture
def upload(workshop: Any) -> Callable[..., httpx.Response]:
    """Uploads a manifest."""

    def post(manifest: Any, name: str = "Shop") -> httpx.Response:
        path = f"/workspaces/{workshop.workspace_id}/definitions/declarative_sources"
        response: httpx.Response = workshop.client.post(path, json={"name": name, "manifest": manifest})
        return response

    return post


@pytest.fixture
def make_source(workshop: Any, upload: Callable[..., httpx.Response]) -> Callable[..., JsonObject]:
    """Uploads a manifest and makes a source of it."""

    def make(manifest: JsonObject, configuration: JsonObject) -> JsonObject:
        uploaded = upload(manifest)
        assert uploaded.status_code == 200, uploaded.text
        body = {
            "name": "shop",
            "workspaceId": workshop.workspace_id,
            "definitionId": uploaded.json()["id"],
            "configuration": configuration,
        }
        made = workshop.client.post("/sources", json=body)
        assert made.status_code == 200, made.text
        source: JsonObject = made.json()
        return source

    return make
