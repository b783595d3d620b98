import fcntl
import json
import os
import signal
import socket
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from analysis.errors import PermanentError, RetryableError
from orchestration.settings import Settings
from orchestration.stack import ingestion_server, lifecycle, processes
from orchestration.stack.doctor import Finding, examine
from orchestration.stack.endpoints import load_endpoints
from orchestration.stack.kept_secrets import keep_secret

BY_DOCTOR = {"postgres", "vector", "roles", "walls", "migrations", "dagster storage", "airbyte"}


@pytest.fixture(scope="module")
def settings(make_home: Callable[..., Path]) -> Settings:
    return Settings(home=make_home())


@pytest.fixture(scope="module")
def stack(settings: Settings) -> Iterator[Settings]:
    """A running stack without the UI."""
    lifecycle.up(settings, with_ui=False)
    yield settings
    lifecycle.down(settings)


def _findings(settings: Settings) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in examine(settings):
        found.setdefault(finding.check, []).append(finding)
    return found


def _states(settings: Settings) -> dict[str, str]:
    return {state.component: state.state for state in lifecycle.status(settings)}


def test_the_stack_is_up_and_its_endpoints_answer(stack: Settings) -> None:
    endpoints = load_endpoints(stack.home)
    with psycopg.connect(endpoints.control_url) as control:
        assert control.execute("select to_regclass('sluice.tenants') is not null").fetchone() == (True,)
    with psycopg.connect(endpoints.dagster_url) as storage:
        assert storage.info.user == "sluice_dagster"
    assert endpoints.dagster_ui_url is None
    assert _states(stack) == {
        "PostgreSQL": "running",
        "Airbyte": "running",
        "Dagster UI": "down",
        "Dagster daemon": "down",
    }


def test_a_second_up_changes_nothing(stack: Settings) -> None:
    def processes_now() -> tuple[object, ...]:
        data = stack.home / "postgres" / "data" / "postmaster.pid"
        return data.read_text().splitlines()[0], processes.running(stack.home, ingestion_server.NAME)

    before, endpoints = processes_now(), load_endpoints(stack.home)
    assert lifecycle.up(stack, with_ui=False) == endpoints
    assert processes_now() == before


def test_no_secret_is_in_a_command_line_or_readable_by_others(stack: Settings) -> None:
    endpoints = load_endpoints(stack.home)
    pid = processes.running(stack.home, ingestion_server.NAME)
    arguments = Path(f"/proc/{pid}/cmdline").read_text()
    secrets = json.loads(endpoints.model_dump_json())
    assert not [name for name, value in secrets.items() if value and str(value) in arguments]
    for name in ("endpoints.json", "secret.key", "logs/airbyte.log", "logs/postgres.log"):
        assert stat.S_IMODE((stack.home / name).stat().st_mode) == 0o600, name


def test_connectors_read_the_operators_secrets_and_not_the_stacks(stack: Settings) -> None:
    pid = processes.running(stack.home, ingestion_server.NAME)
    given = dict(line.partition("=")[::2] for line in Path(f"/proc/{pid}/environ").read_text().split("\0"))
    folder = Path(given["AIRBYTE_SERVER_SECRET_DIRECTORY"])
    assert folder == stack.home / "connector_secrets"
    assert Path(given["AIRBYTE_SERVER_ENVIRONMENT_DIRECTORY"]) == stack.home / "connector_environments"
    assert not [path for path in stack.home.rglob("*") if path.is_file() and path.is_relative_to(folder)]


def test_the_doctor_finds_nothing_wrong_with_a_healthy_stack(stack: Settings) -> None:
    assert [finding for finding in examine(stack) if not finding.ok] == []
    assert set(_findings(stack)) >= BY_DOCTOR


def test_the_doctor_says_what_to_do_about_what_was_broken(stack: Settings) -> None:
    endpoints = load_endpoints(stack.home)
    (stack.home / "secret.key").chmod(0o644)
    with psycopg.connect(endpoints.control_url, autocommit=True) as control:
        control.execute("alter role sluice_loader createdb")
        control.execute("grant connect on database sluice to public")
        newest = control.execute("select version_num from sluice.alembic_version").fetchone()
        control.execute("update sluice.alembic_version set version_num = '0001'")
    found = _findings(stack)
    with psycopg.connect(endpoints.control_url, autocommit=True) as control:
        control.execute("alter role sluice_loader nocreatedb")
        control.execute("revoke connect on database sluice from public")
        control.execute("update sluice.alembic_version set version_num = %s", newest)
    (stack.home / "secret.key").chmod(0o600)
    assert {name for name, findings in found.items() if not all(finding.ok for finding in findings)} == {
        *("secrets", "roles", "walls", "migrations")
    }
    assert f"chmod 600 {stack.home}/secret.key" in found["secrets"][0].remedy
    assert "alter role sluice_loader" in next(f.remedy for f in found["roles"] if not f.ok)


def test_a_killed_server_is_found_down_and_started_again(stack: Settings) -> None:
    pid = processes.running(stack.home, ingestion_server.NAME)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while processes.running(stack.home, ingestion_server.NAME):
        time.sleep(0.01)
    assert [f.remedy for f in _findings(stack)["airbyte"]] == ["Run `sluice up`."]
    lifecycle.up(stack, with_ui=False)
    assert _states(stack)["Airbyte"] == "running"


def test_two_commands_for_one_home_do_not_meet(stack: Settings) -> None:
    with (stack.home / "stack.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for command in (lambda: lifecycle.up(stack, with_ui=False), lambda: lifecycle.down(stack)):
            with pytest.raises(RetryableError, match="works on this home"):
                command()


def test_a_port_in_use_is_refused_before_anything_starts(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for name in ("airbyte", "dagster"):
            settings = Settings.model_validate({"home": home, f"{name}_port": port})
            with pytest.raises(PermanentError, match=f"Port {port} is in use.*SLUICE_{name.upper()}_PORT"):
                lifecycle.up(settings, with_ui=True)
            wrong = [finding for finding in _findings(settings)["ports"] if not finding.ok]
            assert [finding.sentence for finding in wrong] == [f"Port {port} is in use by another program."]
    assert not (home / "postgres").exists()


def test_a_stack_that_fails_half_way_is_stopped_again(home: Path) -> None:
    settings = Settings(home=home)
    keep_secret(home / "secrets" / "airbyte_secret_key", lambda: "not a key")
    home.chmod(0o711)
    with pytest.raises(PermanentError, match="airbyte ended while starting"):
        lifecycle.up(settings, with_ui=False)
    assert set(_states(settings).values()) == {"down"}
    with pytest.raises(PermanentError, match="sluice up"):
        load_endpoints(home)


def test_before_the_first_up_the_doctor_and_down_say_so_and_touch_nothing(home: Path) -> None:
    settings = Settings(home=home)
    lifecycle.down(settings)
    found = _findings(settings)
    assert [finding.ok for finding in found["home"]] == [False]
    assert "sluice up" in found["postgres"][0].remedy
    assert not home.exists()


def test_down_stops_everything_and_forgets_the_endpoints(stack: Settings) -> None:
    lines: list[str] = []
    lifecycle.down(stack, lines.append)
    lifecycle.down(stack, lines.append)
    assert lines == ["Airbyte is down", "PostgreSQL is down"]
    assert set(_states(stack).values()) == {"down"}
    with pytest.raises(PermanentError, match="sluice up"):
        load_endpoints(stack.home)
