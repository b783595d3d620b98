"""A source whose behaviour is a piece of Python in its configuration, as the command of an environment of its own."""

import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

AirbyteServer = Any
"""Of the folder above: pytest imports no conftest from another."""
Workshop = Any

SCRIPT_SOURCE = """#!{python}
import argparse, json, os, signal, subprocess, sys, time

def say(kind, **content):
    print(json.dumps({{"type": kind.upper(), kind: content}}), flush=True)

def record(number, **more):
    say("record", stream="items", data={{"id": number, **more}}, emitted_at=1)

def status(what):
    stream = {{"stream_descriptor": {{"name": "items"}}, "status": what}}
    say("trace", type="STREAM_STATUS", emitted_at=1, stream_status=stream)

def state(number):
    stream = {{"stream_descriptor": {{"name": "items"}}, "stream_state": {{"id": number}}}}
    say("state", type="STREAM", stream=stream)

def fail(sentence, kind):
    say("trace", type="ERROR", emitted_at=1, error={{"message": sentence, "failure_type": kind}})
    sys.exit(1)

def child(code="import time; time.sleep(600)", **how):
    return subprocess.Popen([sys.executable, "-c", code], **how).pid

parser = argparse.ArgumentParser()
parser.add_argument("command")
for name in ("config", "catalog", "state"):
    parser.add_argument("--" + name, type=lambda path: json.load(open(path)))
given = parser.parse_args()
config, since = given.config or {{}}, given.state[0]["stream"]["stream_state"]["id"] if given.state else 0
if given.command == "spec":
    say("spec", connectionSpecification={{"type": "object"}})
elif given.command == "check":
    say("connectionStatus", status="SUCCEEDED")
elif given.command == "discover":
    exec(config.get("discover", ""))
    schema = {{"type": "object", "properties": {{"id": {{"type": "integer"}}, "note": {{"type": "string"}}}}}}
    stream = {{"name": "items", "json_schema": schema, "supported_sync_modes": ["full_refresh", "incremental"],
              "source_defined_cursor": True, "default_cursor_field": ["id"], "source_defined_primary_key": [["id"]]}}
    say("catalog", streams=[stream])
else:
    exec(config.get("read", ""))
"""


@pytest.fixture(scope="session")
def make_script_source() -> Callable[[Path], Path]:
    """Makes the source's environment below a folder of environments, as if it had been installed; its command."""

    def make(folder: Path) -> Path:
        home = folder / "airbyte-source-script" / f"1.0.0-{sys.implementation.cache_tag}"
        (home / "bin").mkdir(parents=True)
        (home / "bin" / "python").symlink_to(sys.executable)
        command = home / "bin" / "source-script"
        command.write_text(textwrap.dedent(SCRIPT_SOURCE).format(python=sys.executable))
        command.chmod(0o700)
        (home / "complete.json").write_text('{"specification": {}}')
        return command

    return make


@pytest.fixture(scope="session")
def make_script_server(
    make_server: Callable[..., AirbyteServer], make_script_source: Callable[[Path], Path], tmp_path_factory: Any
) -> Callable[..., AirbyteServer]:
    """Makes a server that knows the source `script`; `start` is the test's."""

    def make(**settings: str) -> AirbyteServer:
        folder = tmp_path_factory.mktemp("environments")
        make_script_source(folder)
        known = {
            "AIRBYTE_SERVER_PYPI_CONNECTORS": "airbyte-source-script==1.0.0",
            "AIRBYTE_SERVER_ENVIRONMENT_DIRECTORY": str(folder),
        }
        return make_server(**known, **settings)

    return make


@pytest.fixture(scope="session")
def shared_script_server(make_script_server: Callable[..., AirbyteServer]) -> AirbyteServer:
    """One job at a time, two attempts, a pause that only tests end, and bodies of at most one MiB."""
    return make_script_server(
        AIRBYTE_SERVER_MAX_CONCURRENT_JOBS="1",
        AIRBYTE_SERVER_JOB_ATTEMPTS="2",
        AIRBYTE_SERVER_JOB_RETRY_PAUSE_SECONDS="600",
        AIRBYTE_SERVER_LONGEST_BODY_MIB="1",
    )


@pytest.fixture
def script_server(shared_script_server: AirbyteServer) -> AirbyteServer:
    """That server, started again where a test has ended it."""
    if shared_script_server.process is None or shared_script_server.process.poll() is not None:
        shared_script_server.start()
    return shared_script_server


@pytest.fixture
def shop(script_server: AirbyteServer, make_script_shop: Callable[..., Any]) -> Any:
    """A workspace on that server."""
    return make_script_shop(script_server)


@pytest.fixture
def make_script_shop(make_workshop: Callable[..., Workshop]) -> Callable[..., Any]:
    """Makes a workspace on such a server."""
    return lambda server: ScriptShop(make_workshop(server))


@dataclass
class ScriptShop:
    """A workspace on a server with the source `script`."""

    workshop: Workshop

    def connect(self, read: str, *, prefix: str = "shop_", mode: str = "full_refresh_overwrite", **more: Any) -> Any:
        """A connection to a source that runs this code when it is read; `more` is of its configuration."""
        body = {
            "name": "script",
            "workspaceId": self.workshop.workspace_id,
            "configuration": {"sourceType": "script", "read": textwrap.dedent(read), **more},
        }
        response = self.workshop.client.post("/sources", json=body)
        assert response.status_code == 200, response.text
        streams = [{"name": "items", "syncMode": mode}]
        return self.workshop.connect(
            response.json()["sourceId"],
            prefix=prefix,
            configurations={"streams": streams},
            nonBreakingSchemaUpdatesBehavior="ignore",
        )

    def embedded(self, job: Any) -> Any:
        """What the embedded API tells of a job."""
        return self.workshop.client.get(f"{self.workshop.server.root}/api/embedded/v1/jobs/{job['jobId']}").json()

    def legacy(self, job: Any) -> Any:
        """What the configuration API tells of a job."""
        return self.workshop.client.post("/jobs/get", json={"id": job["jobId"]}).json()

    def log(self, job: Any) -> str:
        """The kept lines of a job, as one text."""
        url = f"{self.workshop.server.root}/api/embedded/v1/jobs/{job['jobId']}/logs"
        return "\n".join(line["message"] for line in self.workshop.client.get(url).json()["data"])

    def execute(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Change the server's own tables."""
        with psycopg.connect(self.workshop.server.database_url, autocommit=True) as connection:
            found = connection.execute(statement, values)
            return found.fetchall() if found.description else []
