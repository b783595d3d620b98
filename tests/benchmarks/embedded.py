"""A running embedded server for benchmarks, and one workspace on it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
from cryptography.fernet import Fernet

from orchestration.stack import bootstrap
from orchestration.stack.kept_secrets import keep_named_secret

CLIENT_ID, CLIENT_SECRET = "benchmark", "benchmark-secret"


@dataclass(frozen=True)
class Workspace:
    """A client with a token, and the ids of a workspace and its destination."""

    client: httpx.Client
    root: str
    workspace_id: str
    destination_id: str

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """The answer, which must be a success."""
        response = self.client.post(path, json=body)
        if not response.is_success:
            raise SystemExit(f"{path} answered {response.status_code}: {response.text}")
        return response.json()

    def sync(self, connection_id: str) -> tuple[float, dict[str, Any]]:
        """Seconds from the request to the end that a client sees, and the job."""
        started = time.perf_counter()
        job = self.post("/jobs", connectionId=connection_id, jobType="sync")
        pause = 0.02
        while job["status"] in ("pending", "running", "incomplete"):
            time.sleep(pause)
            pause = min(pause * 1.2, 0.2)  # answers cost the server, and clients ask every few seconds
            job = self.client.get(f"/jobs/{job['jobId']}").json()
        if job["status"] != "succeeded":
            log = self.client.get(f"{self.root}/api/embedded/v1/jobs/{job['jobId']}/logs").text
            raise SystemExit(f"The job ended {job['status']}: {log[-2000:]}")
        return time.perf_counter() - started, job


@contextmanager
def workspace(control_url: str, home: Path) -> Iterator[Workspace]:
    """A server on the cluster, as a stack runs it, with one workspace and a destination on the same cluster."""
    server_url = bootstrap.with_login(control_url, bootstrap.AIRBYTE, keep_named_secret(home, bootstrap.AIRBYTE))
    password = keep_named_secret(home, bootstrap.LOADER)
    with psycopg.connect(control_url, autocommit=True) as control:
        control.execute(f"grant create on database {bootstrap.WAREHOUSE} to {bootstrap.LOADER}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = home / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "airbyte_server"], env=_environment(server_url, port, home), stderr=output
        )
    root = f"http://127.0.0.1:{port}"
    try:
        _await(process, root, log)
        yield _prepare(root, httpx.URL(control_url), password)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _environment(server_url: str, port: int, home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "AIRBYTE_SERVER_DATABASE_URL": server_url,
        "AIRBYTE_SERVER_PORT": str(port),
        "AIRBYTE_SERVER_CLIENT_ID": CLIENT_ID,
        "AIRBYTE_SERVER_CLIENT_SECRET": CLIENT_SECRET,
        "AIRBYTE_SERVER_SECRET_KEY": Fernet.generate_key().decode(),
        "AIRBYTE_SERVER_SECRET_DIRECTORY": str(home),
        "AIRBYTE_SERVER_ENVIRONMENT_DIRECTORY": str(home / "environments"),
    }


def _await(process: "subprocess.Popen[bytes]", root: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"{root}/api/public/v1/health").status_code == 200:
                return
        except httpx.TransportError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"The server did not start: {log.read_text()[-2000:]}")
        time.sleep(0.05)


def _prepare(root: str, target: httpx.URL, password: str) -> Workspace:
    client = httpx.Client(base_url=f"{root}/api/public/v1", timeout=120)
    body = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    token = client.post("/applications/token", json=body).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    workspace_id = client.post("/workspaces", json={"name": "benchmark"}).json()["workspaceId"]
    made = Workspace(client, root, workspace_id, "")
    destination = made.post(
        "/destinations",
        name="warehouse",
        workspaceId=workspace_id,
        configuration={
            "destinationType": "postgres",
            "host": target.host,
            "port": target.port,
            "database": target.path.removeprefix("/"),
            "username": bootstrap.LOADER,
            "password": password,
            "schema": "benchmark",
        },
    )
    return Workspace(client, root, workspace_id, destination["destinationId"])
