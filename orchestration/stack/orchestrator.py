"""Dagster: its configuration, and its webserver and daemon in the background."""

import importlib.metadata
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import yaml

from analysis.errors import PermanentError
from orchestration.settings import PROJECT_ROOT
from orchestration.stack import processes
from orchestration.stack.ports import HOST, choose_port, noted_port
from orchestration.stack.probes import ask_json, grpc_trouble, http_trouble

WEBSERVER, DAEMON, CODE = "dagster", "dagster-daemon", "dagster-code"
STORAGE_VARIABLE = "SLUICE_DAGSTER_STORAGE_URL"
DEFINITIONS = ("-m", "orchestration.definitions")
LOCATION = "sluice"
START_SECONDS = 180
TELEMETRY_OFF: Mapping[str, str] = {
    "DAGSTER_DISABLE_TELEMETRY": "yes",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",
}
LOCATIONS = """{ workspaceOrError { __typename ... on PythonError { message } ... on Workspace { locationEntries {
  name loadStatus locationOrLoadError { __typename ... on PythonError { message } } } } } }"""


def environment(home: Path, storage_url: str) -> dict[str, str]:
    """What any process needs in its environment to share this stack's Dagster instance."""
    return {
        "DAGSTER_HOME": str(home / "dagster"),
        STORAGE_VARIABLE: storage_url,
        "SLUICE_HOME": str(home),
        **TELEMETRY_OFF,
    }


def prepare(home: Path, storage_url: str, *, create: bool = True) -> None:
    """Write dagster.yaml; upgrade Dagster's storage once per version, and create it if nobody has and it is asked for.

    Webserver and daemon start at once and would trip over each other's tables; a lone process creates its own.
    """
    folder = home / "dagster"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "dagster.yaml").write_text(yaml.safe_dump(_configuration(), sort_keys=False))
    note = folder / "storage-version"
    place = urlsplit(storage_url)
    wanted = f"{importlib.metadata.version('dagster')} {place.hostname}{place.path}"
    exists = _has_tables(storage_url)
    is_current = note.is_file() and note.read_text() == wanted
    if not (exists and is_current) and (exists or create):
        _migrate(home, storage_url)
    note.write_text(wanted)


def start(home: Path, storage_url: str, *, port: int = 0, code: tuple[str, ...] = DEFINITIONS) -> str:
    """Start code server, webserver and daemon where they are down; returns the UI's URL when all are healthy."""
    variables = environment(home, storage_url)
    workspace = _start_code_server(home, code, variables)
    chosen = running_port(home)
    if chosen is None:
        processes.stop(home, WEBSERVER)
        chosen = choose_port(home, WEBSERVER, port)
        where = ("-w", str(workspace), "-h", HOST, "-p", str(chosen), "--log-level", "warning")
        processes.launch(home, _service(WEBSERVER, home, ("dagster_webserver", *where), variables))
    since = time.time() - 120  # a running daemon's heartbeat is at most a minute old
    if processes.running(home, DAEMON) is None:
        processes.stop(home, DAEMON)
        since = time.time()
        daemon = ("dagster._daemon", "run", "-w", str(workspace), "--log-level", "warning")
        processes.launch(home, _service(DAEMON, home, daemon, variables))
    answering = chosen
    processes.await_health(home, WEBSERVER, lambda: http_trouble(answering, "/server_info"), seconds=START_SECONDS)
    _check_locations(chosen)
    processes.await_health(home, DAEMON, lambda: _no_heartbeat(storage_url, since), seconds=START_SECONDS)
    return f"http://{HOST}:{chosen}"


def _start_code_server(home: Path, code: tuple[str, ...], variables: Mapping[str, str]) -> Path:
    """One process holds our definitions for both: a daemon without it would import them anew every minute."""
    port = noted_port(home, CODE) if processes.running(home, CODE) else None
    if port is None:
        processes.stop(home, CODE)
        port = choose_port(home, CODE, 0)
        where = ("-h", HOST, "-p", str(port), "--use-python-environment-entry-point", "--log-level", "warning")
        processes.launch(home, _service(CODE, home, ("dagster", "code-server", "start", *code, *where), variables))
    answering = port
    processes.await_health(home, CODE, lambda: grpc_trouble(answering, "DagsterApi"), seconds=START_SECONDS)
    server = {"host": HOST, "port": port, "location_name": LOCATION}
    workspace = home / "dagster" / "workspace.yaml"
    workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}))
    return workspace


def stop(home: Path) -> bool:
    """Stop the daemon, the webserver, the code server and the runs they started; False when none was running."""
    stopped = [processes.stop(home, name) for name in (DAEMON, WEBSERVER, CODE)]
    return any(stopped)


def running_port(home: Path) -> int | None:
    """The port of the running webserver, or None when it is down."""
    return noted_port(home, WEBSERVER) if processes.running(home, WEBSERVER) else None


def _service(name: str, home: Path, module: tuple[str, ...], variables: Mapping[str, str]) -> processes.Service:
    return processes.Service(name, (sys.executable, "-m", *module), PROJECT_ROOT, variables)


def _configuration() -> dict[str, Any]:
    return {
        "storage": {"postgres": {"postgres_url": {"env": STORAGE_VARIABLE}}},
        "run_launcher": {"module": "orchestration.stack.run_launcher", "class": "WatchfulRunLauncher"},
        "run_queue": {
            "dequeue_interval_seconds": 2,
            "max_concurrent_runs": max(2, os.cpu_count() or 2),
            # One run per tenant at a time; tenants run side by side.
            "tag_concurrency_limits": [
                {"key": "dagster/partition", "value": {"applyLimitPerUniqueValue": True}, "limit": 1}
            ],
        },
        "run_monitoring": {
            "enabled": True,
            "start_timeout_seconds": 300,
            "cancel_timeout_seconds": 120,
            "max_resume_run_attempts": 0,
            "poll_interval_seconds": 15,
        },
        "retention": {
            "sensor": {"purge_after_days": {"skipped": 1, "failure": 30, "success": 30}},
            "schedule": {"purge_after_days": {"skipped": 7, "failure": 90, "success": 90}},
        },
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
    }


def _migrate(home: Path, storage_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "instance", "migrate"],
        cwd=home,
        env=os.environ | environment(home, storage_url),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise PermanentError("Dagster's storage could not be prepared.", reason=processes.without_passwords(lines[-1]))


def _has_tables(storage_url: str) -> bool:
    with psycopg.connect(storage_url, connect_timeout=10) as connection:
        row = connection.execute("select to_regclass('public.alembic_version') is not null").fetchone()
    return bool(row and row[0])


def _check_locations(port: int) -> None:
    """Our code loads; a UI that shows only an error is not a healthy one."""
    answer = ask_json(port, "/graphql", {"query": LOCATIONS})["data"]["workspaceOrError"]
    entries = [entry["locationOrLoadError"] or answer for entry in answer.get("locationEntries", [])] or [answer]
    for entry in entries:
        if entry["__typename"] == "PythonError":
            lines = [line for line in entry["message"].splitlines() if line.strip()]
            raise PermanentError(
                "Dagster does not load the project's code.", reason=processes.without_passwords(" ".join(lines[-3:]))
            )


def _no_heartbeat(storage_url: str, since: float) -> str | None:
    """None when the daemon has written a heartbeat since this time."""
    query = "select count(*) from daemon_heartbeats where timestamp > to_timestamp(%s) at time zone 'utc'"
    try:
        with psycopg.connect(storage_url, connect_timeout=10) as connection:
            row = connection.execute(query, [since]).fetchone()
    except psycopg.Error as error:
        return str(error).strip().splitlines()[0]
    return None if row and row[0] else "no heartbeat yet"
