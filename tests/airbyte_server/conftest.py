"""A running server, started as a user starts it, and a client that knows its credentials."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import psycopg
import pytest
from cryptography.fernet import Fernet
from psycopg import sql

CLIENT_ID = "client-of-the-tests"
CLIENT_SECRET = "secret-of-the-tests"
START_SECONDS = 30
CONNECTORS = Path(__file__).parent / "manifests" / "connectors"

JsonObject = dict[str, Any]


@dataclass
class AirbyteServer:
    """`python -m airbyte_server` in a process of its own; it can be killed and started again."""

    database_url: str
    loader_url: str
    log: Path
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.root = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.root}/api/public/v1"
        self.secret_key = Fernet.generate_key().decode()
        self.secret_directory = self.log.with_suffix(".secrets")
        self.secret_directory.mkdir(exist_ok=True)

    def start(self) -> None:
        """Start it and wait until it is healthy."""
        environment = {
            **os.environ,
            "AIRBYTE_SERVER_DATABASE_URL": self.database_url,
            "AIRBYTE_SERVER_PORT": str(self.port),
            "AIRBYTE_SERVER_CLIENT_ID": CLIENT_ID,
            "AIRBYTE_SERVER_CLIENT_SECRET": CLIENT_SECRET,
            "AIRBYTE_SERVER_SECRET_KEY": self.secret_key,
            "AIRBYTE_SERVER_SECRET_DIRECTORY": str(self.secret_directory),
            "AIRBYTE_SERVER_CONNECTORS_DIRECTORY": str(CONNECTORS),
            "AIRBYTE_SERVER_ENVIRONMENT_DIRECTORY": str(self.log.with_suffix(".environments")),
            "AIRBYTE_SERVER_JOB_RETRY_PAUSE_SECONDS": "0.1",
            **self.settings,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "airbyte_server"], env=environment, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while not self._is_healthy():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(START_SECONDS)

    def _is_healthy(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health").status_code == 200
        except httpx.TransportError:
            return False

    def client(self, prefix: str = "/api/public/v1") -> httpx.Client:
        """A client with a token."""
        body = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        token = httpx.post(f"{self.url}/applications/token", json=body, timeout=60).json()["access_token"]
        return httpx.Client(base_url=self.root + prefix, headers={"Authorization": f"Bearer {token}"}, timeout=60)


@dataclass
class Workshop:
    """One workspace with a destination, and the usual calls in it."""

    server: AirbyteServer
    client: httpx.Client
    workspace_id: str
    destination_id: str
    namespace: str
    folder: Path

    def write(self, stream: str, records: list[JsonObject]) -> None:
        """Make the file of a stream."""
        (self.folder / f"{stream}.jsonl").write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))

    def write_catalog(self, *streams: JsonObject) -> Path:
        """Make the catalog file."""
        path = self.folder.parent / f"{self.folder.name}.catalog.json"
        path.write_bytes(orjson.dumps({"streams": streams}))
        return path

    def source(self, **configuration: Any) -> str:
        """A file source on the folder."""
        body = {
            "name": "shop",
            "workspaceId": self.workspace_id,
            "configuration": {"sourceType": "file", "path": str(self.folder), **configuration},
        }
        return str(answer(self.client.post("/sources", json=body))["sourceId"])

    def connect(self, source_id: str, **changes: Any) -> JsonObject:
        """A connection into the workshop's schema."""
        body = {
            "name": "shop",
            "sourceId": source_id,
            "destinationId": self.destination_id,
            "namespaceDefinition": "custom_format",
            "namespaceFormat": self.namespace,
            "prefix": "shop_",
            "nonBreakingSchemaUpdatesBehavior": "propagate_columns",
            **changes,
        }
        return answer(self.client.post("/connections", json=body))

    def start(self, connection: JsonObject, **headers: str) -> JsonObject:
        """Start a sync."""
        body = {"connectionId": connection["connectionId"], "jobType": "sync"}
        return answer(self.client.post("/jobs", json=body, headers=headers))

    def wait(self, job: JsonObject, *statuses: str, seconds: float = 30) -> JsonObject:
        """Poll the job until it has one of the statuses; by default until it has ended."""
        wanted = statuses or ("succeeded", "failed", "cancelled")
        deadline = time.monotonic() + seconds
        while True:
            found = answer(self.client.get(f"/jobs/{job['jobId']}"))
            if found["status"] in wanted:
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.05)

    def sync(self, connection: JsonObject, **headers: str) -> JsonObject:
        """Start a sync and wait for its end."""
        return self.wait(self.start(connection, **headers))

    def rows(self, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
        """The rows of a raw table."""
        with psycopg.connect(self.server.loader_url) as connection:
            query = sql.SQL("select {} from {}").format(sql.SQL(columns), sql.Identifier(self.namespace, table))
            return connection.execute(query).fetchall()


def answer(response: httpx.Response) -> Any:
    """The JSON of a response that must be 200."""
    assert response.status_code == 200, (response.status_code, response.text)
    return response.json()


@pytest.fixture(scope="session")
def make_server(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., AirbyteServer]]:
    """Makes servers, each with a database of its own; `start` is the test's."""
    made: list[tuple[AirbyteServer, str]] = []

    def make(*, cluster: Any = postgres, **settings: str) -> AirbyteServer:
        name = f"airbyte_{uuid4().hex[:12]}"
        with psycopg.connect(cluster.admin_url, autocommit=True) as admin:
            admin.execute(
                sql.SQL("create database {} template sluice_test_template owner sluice_control").format(
                    sql.Identifier(name)
                )
            )
        log = tmp_path_factory.mktemp("server") / "server.log"
        urls = cluster.url("sluice_airbyte", name), cluster.url("sluice_loader", name)
        with psycopg.connect(cluster.url("sluice_control", name), autocommit=True) as control:
            control.execute(sql.SQL("grant create on database {} to sluice_loader").format(sql.Identifier(name)))
        server = AirbyteServer(*urls, log, settings)
        made.append((server, name if cluster is postgres else ""))
        return server

    yield make
    for server, name in made:
        if server.process is not None and server.process.poll() is None:
            server.stop(signal.SIGKILL)
        if not name:  # of a cluster that is gone
            continue
        with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def server(make_server: Callable[..., AirbyteServer]) -> AirbyteServer:
    """The server that tests share when they neither stop nor configure it."""
    made = make_server()
    made.start()
    return made


@pytest.fixture
def make_workshop(tmp_path: Path) -> Callable[[AirbyteServer], Workshop]:
    """Makes a workspace on a server."""

    def make(server: AirbyteServer) -> Workshop:
        client = server.client()
        name = f"tenant_{uuid4().hex[:8]}"
        workspace = answer(client.post("/workspaces", json={"name": name}))
        target = httpx.URL(server.loader_url)
        body = {
            "name": "warehouse",
            "workspaceId": workspace["workspaceId"],
            "configuration": {
                "destinationType": "postgres",
                "host": target.host,
                "port": target.port,
                "database": target.path.removeprefix("/"),
                "username": target.username,
                "password": target.password,
                "schema": name,
            },
        }
        destination = answer(client.post("/destinations", json=body))
        folder = tmp_path / "shop"
        folder.mkdir(exist_ok=True)
        return Workshop(server, client, workspace["workspaceId"], destination["destinationId"], name, folder)

    return make


@pytest.fixture
def small_manifest() -> JsonObject:
    """A declarative source that could run, with one stream and no configuration."""
    stream = {
        "type": "DeclarativeStream",
        "name": "orders",
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url_base": "http://127.0.0.1:1"},
            "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": []}},
        },
    }
    check = {"type": "CheckStream", "stream_names": ["orders"]}
    return {"type": "DeclarativeSource", "version": "6.0.0", "check": check, "streams": [stream]}


@pytest.fixture
def workshop(server: AirbyteServer, make_workshop: Callable[[AirbyteServer], Workshop]) -> Workshop:
    """A workspace on the shared server."""
    return make_workshop(server)
