from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.errors import PermanentError
from orchestration.settings import Settings
from orchestration.stack import lifecycle, orchestrator, processes
from orchestration.stack.probes import ask_json

CODE = """
import dagster as dg

@dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="tenant"))
def nothing() -> None: ...

defs = dg.Definitions(assets=[nothing])
"""


@pytest.fixture(scope="module")
def storage(make_home: Callable[..., Path]) -> Iterator[tuple[Path, str]]:
    """A home with PostgreSQL up and Dagster's storage prepared."""
    home = make_home()
    url = lifecycle.start_databases(Settings(home=home)).dagster
    orchestrator.prepare(home, url)
    yield home, url
    lifecycle.down(Settings(home=home))


def _definitions(folder: Path, code: str) -> tuple[str, str]:
    (folder / "code.py").write_text(code)
    return "-f", str(folder / "code.py")


def _ask(home: Path, query: str) -> Any:
    port = orchestrator.running_port(home)
    assert port is not None
    return ask_json(port, "/graphql", {"query": query})["data"]


def test_webserver_and_daemon_start_once_with_one_run_per_tenant_and_stop(
    storage: tuple[Path, str], tmp_path: Path
) -> None:
    home, url = storage
    code = _definitions(tmp_path, CODE)
    ui_url = orchestrator.start(home, url, code=code)
    services = (orchestrator.CODE, orchestrator.WEBSERVER, orchestrator.DAEMON)
    before = [processes.running(home, name) for name in services]
    assert None not in before
    assert orchestrator.start(home, url, code=code) == ui_url
    assert [processes.running(home, name) for name in services] == before
    instance = _ask(home, "{ instance { info runQueueConfig { tagConcurrencyLimitsYaml } } }")["instance"]
    limits = yaml.safe_load(instance["runQueueConfig"]["tagConcurrencyLimitsYaml"])
    assert limits == [{"key": "dagster/partition", "limit": 1, "value": {"applyLimitPerUniqueValue": True}}]
    assert "WatchfulRunLauncher" in instance["info"]
    assert "PostgresRunStorage" in instance["info"] or "postgres" in instance["info"].lower()
    assert orchestrator.stop(home) is True
    assert orchestrator.stop(home) is False


def test_code_that_does_not_load_is_an_error_that_names_the_reason(storage: tuple[Path, str], tmp_path: Path) -> None:
    home, url = storage
    try:
        with pytest.raises(PermanentError, match=r"does not load the project's code.*no_such_module"):
            orchestrator.start(home, url, code=_definitions(tmp_path, "import no_such_module"))
    finally:
        orchestrator.stop(home)


def test_the_configuration_holds_no_password_and_asks_for_no_telemetry(storage: tuple[Path, str]) -> None:
    text = (storage[0] / "dagster" / "dagster.yaml").read_text()
    assert "://" not in text
    configuration = yaml.safe_load(text)
    assert configuration["telemetry"] == configuration["nux"] == {"enabled": False}
    assert orchestrator.environment(*storage)["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "false"
