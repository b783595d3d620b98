"""The served description, and a fuzzer that takes it at its word."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

FUZZER = Path(sys.prefix) / "schemathesis" / "bin" / "schemathesis"
"""`make test-slow` installs it."""


def test_the_description_is_served_with_every_call_of_the_contract(server):
    assert "swagger" in httpx.get(f"{server.root}/docs", timeout=60).text.lower()
    paths = httpx.get(f"{server.root}/openapi.json", timeout=60).json()["paths"]
    served = {
        f"{method.upper()} {path.removeprefix('/api/public/v1')}" for path, item in paths.items() for method in item
    }
    for name in ("sources", "destinations"):
        assert {f"{method} /{name}/{{actor_id}}" for method in ("GET", "PUT", "PATCH", "DELETE")} <= served
    for kind in ("declarative_sources", "sources", "destinations"):
        path = f"/workspaces/{{workspace_id}}/definitions/{kind}"
        one = f"{path}/{{definition_id}}"
        assert {f"GET {path}", f"POST {path}", f"GET {one}", f"PUT {one}", f"DELETE {one}"} <= served
    assert {
        "POST /applications/token",
        "GET /health",
        "POST /connections/get",
        "POST /connections/update",
        "GET /streams",
        "PATCH /tags/{tag_id}",
        "DELETE /jobs/{job_id}",
        "GET /api/embedded/v1/jobs/{job_id}/logs",
    } <= served


@pytest.mark.slow
def test_nothing_that_the_description_allows_makes_the_server_fail(make_server):
    server = make_server(AIRBYTE_SERVER_CONNECTOR_TIMEOUT_SECONDS="5")
    server.start()
    token = server.client().headers["Authorization"]
    examples = os.environ.get("SCHEMATHESIS_EXAMPLES", "8")
    command = [FUZZER, "run", f"{server.root}/openapi.json", "--checks", "not_a_server_error"]
    # One worker: `ast.parse` of Python 3.11, which the fuzzer calls, fails now and then in two threads at once.
    options = ["--max-examples", examples, "--seed", "1", "--workers", "1", "--header", f"Authorization: {token}"]
    found = subprocess.run([*command, *options], capture_output=True, text=True, timeout=600)
    assert found.returncode == 0, found.stdout[-8000:] + found.stderr[-2000:]
    assert "Traceback" not in server.log.read_text()
