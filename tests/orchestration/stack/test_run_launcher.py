import json
import subprocess
import sys

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG

from orchestration.stack.processes import identity
from orchestration.stack.run_launcher import WORKER_TAG, WatchfulRunLauncher, worker_tags


@pytest.fixture(scope="module")
def ended() -> str:
    """The identity of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        name = identity(process.pid)
        process.communicate(b"\n")
    return name


def _status(tags: dict[str, str]) -> WorkerStatus:
    return WatchfulRunLauncher().check_run_worker_health(dg.DagsterRun("job", tags=tags)).status


def test_a_run_of_a_living_process_is_running() -> None:
    assert _status(worker_tags()) == WorkerStatus.RUNNING


def test_a_run_whose_process_ended_has_failed(ended: str) -> None:
    assert _status({WORKER_TAG: ended}) == WorkerStatus.FAILED


def test_a_run_whose_process_id_is_anothers_by_now_has_failed() -> None:
    pid, _, rest = worker_tags()[WORKER_TAG].partition(":")
    assert _status({WORKER_TAG: f"{pid}:1{rest}"}) == WorkerStatus.FAILED


def test_a_run_whose_code_server_ended_has_failed() -> None:
    assert _status({GRPC_INFO_TAG: json.dumps({"host": "localhost", "socket": "/nonexistent"})}) == WorkerStatus.FAILED


def test_a_run_of_which_nothing_is_known_is_left_alone() -> None:
    assert _status({}) == WorkerStatus.RUNNING
