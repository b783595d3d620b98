import subprocess
import sys

import pytest
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.storage.tags import PARTITION_NAME_TAG
from dagster._core.test_utils import create_run_for_test

from orchestration.run_records import stop_unfinished
from orchestration.stack.processes import identity
from orchestration.stack.run_launcher import WORKER_TAG

SLEEPS = "import time; print('ready', flush=True); time.sleep(600)"
IGNORES = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"


@pytest.fixture
def begin():
    """Start a program that waits, and say what it runs as; it is gone afterwards."""
    started = []

    def start(program):
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_every_unfinished_run_of_a_tenant_ends_with_its_process_and_no_other(begin):
    polite, stubborn, neighbour = begin(SLEEPS), begin(IGNORES), begin(SLEEPS)
    with DagsterInstance.local_temp() as instance:

        def run(tenant, status, process=None):
            tags = {PARTITION_NAME_TAG: tenant} | ({WORKER_TAG: identity(process.pid)} if process else {})
            return create_run_for_test(instance, job_name="job", status=status, tags=tags).run_id

        started, queued = DagsterRunStatus.STARTED, DagsterRunStatus.NOT_STARTED
        own = [run("acme", started, polite), run("acme", started, stubborn), run("acme", queued)]
        ended = run("acme", DagsterRunStatus.SUCCESS)
        others = run("globex", started, neighbour)
        assert stop_unfinished(instance, "acme", grace_seconds=1.5) == 3
        statuses = {each.run_id: each.status for each in instance.get_runs()}
    assert {statuses[each] for each in own} == {DagsterRunStatus.CANCELED}
    assert (statuses[ended], statuses[others]) == (DagsterRunStatus.SUCCESS, started)
    assert (polite.wait(), stubborn.wait()) == (-15, -9)
    assert neighbour.poll() is None
