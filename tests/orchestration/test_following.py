"""A run that Dagster's daemon began for a tenant is followed to its end by the command line, and nobody else's is."""

import os
import sys
import threading

import dagster as dg
import pytest
from dagster._core.storage.tags import GRPC_INFO_TAG

from analysis.errors import PermanentError
from orchestration.execution import open_instance, run_job
from orchestration.following import find_daemon_run
from orchestration.settings import PROJECT_ROOT, Settings
from orchestration.stack import bootstrap, orchestrator, processes
from orchestration.stack.endpoints import Endpoints
from orchestration.stack.ports import choose_port
from orchestration.stack.run_launcher import worker_tags

JOB = "onboard_tenant"
SECONDS = 60


class Run:
    """A run that waits in its only step until it is told how to end."""

    def __init__(self, instance, tags):
        self.began, self.may_end, self.fails = threading.Event(), threading.Event(), False
        self._thread = threading.Thread(target=self._execute, args=(instance, tags))
        self._thread.start()
        assert self.began.wait(SECONDS)

    def _execute(self, instance, tags):
        @dg.asset(name="step", partitions_def=dg.DynamicPartitionsDefinition(name="tenant"))
        def step():
            self.began.set()
            assert self.may_end.wait(SECONDS)
            if self.fails:
                raise dg.Failure("It broke.")

        job = dg.Definitions(assets=[step], jobs=[dg.define_asset_job(JOB, selection=[step])]).resolve_job_def(JOB)
        result = job.execute_in_process(instance=instance, partition_key="acme", tags=tags, raise_on_error=False)
        self.run_id = result.run_id

    def end(self, *, fails=False):
        self.fails = fails
        self.may_end.set()

    def join(self):
        self.end()
        self._thread.join()


@pytest.fixture(scope="module")
def settings(postgres, tmp_path_factory):
    """A home with Dagster's storage in PostgreSQL and a process in the webserver's place."""
    home = tmp_path_factory.mktemp("following")
    url, unused = postgres.url(bootstrap.DAGSTER, bootstrap.DAGSTER_DATABASE), "unused"
    Endpoints(
        control_url=postgres.control_url,
        dagster_url=url,
        airbyte_url=unused,
        airbyte_client_id=unused,
        airbyte_client_secret=unused,
        loader_login=unused,
        loader_password=unused,
    ).save(home)
    orchestrator.prepare(home, url, create=False)
    choose_port(home, orchestrator.WEBSERVER, 0)
    stand_in = (sys.executable, "-c", f"import time; time.sleep({10 * SECONDS})")
    processes.launch(home, processes.Service(orchestrator.WEBSERVER, stand_in, PROJECT_ROOT, {}))
    yield Settings(home=home)
    processes.stop(home, orchestrator.WEBSERVER)


@pytest.fixture(scope="module")
def instance(settings):
    before = dict(os.environ)
    with open_instance(settings) as opened:
        opened.add_dynamic_partitions("tenant", ["acme"])
        yield opened
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def begin(instance):
    """Begins runs that end with the test at the latest."""
    begun = []

    def make(**tags):
        begun.append(Run(instance, tags))
        return begun[-1]

    yield make
    for run in begun:
        run.join()


def test_the_daemons_run_is_followed_until_it_succeeds(settings, begin):
    run, told = begin(), []

    def report(line):
        told.append(line)
        run.end()

    run_job(settings, JOB, "acme", report)
    run.join()
    assert told[0] == f"Dagster's daemon is at it already, following its run {run.run_id[:8]}"


def test_a_followed_run_that_fails_is_an_error(settings, begin):
    run = begin()
    with pytest.raises(PermanentError, match="The daemon's run failed"):
        run_job(settings, JOB, "acme", lambda line: run.end(fails=True))


def test_only_an_unfinished_run_of_the_daemons_for_this_tenant_and_job_is_found(settings, instance, begin):
    def find(job=JOB, tenant="acme"):
        return find_daemon_run(instance, settings.home, job, tenant)

    own = begin(**worker_tags())
    assert find() is None, "a run that another command line executes"
    own.join()
    run = begin(**{GRPC_INFO_TAG: "{}"})  # as the daemon's launcher marks what it launched
    found = find()
    assert (find(tenant="acme_too"), find(job="refresh_tenant")) == (None, None)
    run.join()
    assert (found, find()) == (run.run_id, None)


def test_nothing_is_followed_where_the_daemon_is_down(settings, instance, begin, tmp_path):
    begin()
    assert find_daemon_run(instance, settings.home, JOB, "acme") is not None
    assert find_daemon_run(instance, tmp_path, JOB, "acme") is None
