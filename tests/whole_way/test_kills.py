"""`kill -9` at any moment costs nothing but that run: the next one publishes what an undisturbed tenant has."""

import json
import os
import random
import signal
import threading
import time
from contextlib import contextmanager
from itertools import pairwise

import psycopg
import pytest
from psycopg import sql

from orchestration.stack import ingestion_server, processes
from orchestration.stack.endpoints import load_endpoints

pytestmark = pytest.mark.slow

SEED = 20260630
DAYS = 15
FIRST_DAY, NEXT_DAY = ("2026-06-29", DAYS), ("2026-06-30", DAYS + 1)
STEPS = {
    "sample": "sample__streams",
    "sync": "raw__streams",
    "build": "analytics__models",
    "publish": "analytics__release",
}
CLICKS = 20_000
"""Records of a stream that takes the loader long enough to be met at work."""
GROWING = "canonical_payment"
"""A relation that differs between the two days."""


@pytest.fixture(scope="module")
def write_day(generate, tmp_path_factory):
    """Write a tenant's files as they are on a day; the sources that read them."""
    root = tmp_path_factory.mktemp("kills")

    def write(tenant, day):
        folder = root / tenant
        found = generate(folder, *day, tools=("stripe",))
        clicks = [{"id": n, "page": f"/{n % 97}", "at": f"{day[0]}T00:00:00Z"} for n in range(CLICKS)]
        (folder / "clicks.jsonl").write_text("".join(json.dumps(each) + "\n" for each in clicks))
        return {**found, "web": f"file:path={folder / 'clicks.jsonl'}"}

    return write


@pytest.fixture(scope="module")
def calm(stack, write_day, checksums):
    """An undisturbed tenant: checksums of its release on each day, and how long each step takes at least."""
    stack.add("calm", **write_day("calm", FIRST_DAY))
    stack.sluice("onboard", "calm")
    first = checksums("calm")
    write_day("calm", NEXT_DAY)
    stack.sluice("onboard", "calm")
    second = checksums("calm")
    assert first[GROWING][0] < second[GROWING][0]
    query = """
        select step_key, min(length) from (
            select step_key, run_id, extract(epoch from max(timestamp) - min(timestamp)) as length from event_logs
            where run_id in (select run_id from event_logs where partition = 'calm') and step_key is not null
            group by 1, 2
        ) as steps group by 1
    """
    return first, second, {step: float(length) for step, length in stack.dagster(query)}


@contextmanager
def begun(stack, tenant, step, wait_until):
    """A run of `onboard` that has just begun this step, and whether it has left the step."""
    with psycopg.connect(load_endpoints(stack.home).dagster_url, autocommit=True) as storage:
        newest = storage.execute("select coalesce(max(id), 0) from event_logs").fetchone()[0]
        query = "select 1 from event_logs where id > %s and step_key = %s and dagster_event_type = %s"
        run = stack.start("onboard", tenant)

        def has(event):
            return run.poll() is not None or storage.execute(query, [newest, step, event]).fetchone()

        try:
            wait_until(lambda: has("STEP_START"), pause=0.005)
            if run.poll() is not None:
                pytest.fail(f"The run ended before {step}: {stack.end(run)}")
            yield run, lambda: has("STEP_SUCCESS")
        finally:
            run.kill()
            run.communicate()


def kill_in(stack, tenant, step, seconds, wait_until):
    """Kill a run this long after a step began, at the step's end at the latest."""
    with begun(stack, tenant, step, wait_until) as (run, is_over):
        moment = time.monotonic() + seconds
        wait_until(lambda: time.monotonic() > moment or is_over(), pause=0.005)
        run.send_signal(signal.SIGKILL)


@contextmanager
def reading(stack, tenant, allowed):
    """Somebody reads a relation all the while: every answer is one of these row counts, and none is an error."""
    ended, seen = threading.Event(), []
    relation = sql.Identifier(f"tenant_{tenant}_analytics", GROWING)
    count = sql.SQL("select count(*) from {}").format(relation)

    def read():
        with psycopg.connect(stack.reader_url(tenant), autocommit=True) as reader:
            while not ended.wait(0.01):
                try:
                    seen.append(reader.execute(count).fetchone()[0])
                except psycopg.Error as error:
                    seen.append(error)
                    return

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()
    assert seen
    assert [each for each in seen if each not in allowed] == []


@pytest.mark.parametrize("stage", STEPS)
def test_a_killed_run_is_made_good_by_the_next_one(stack, calm, write_day, checksums, wait_until, stage):
    first, second, seconds = calm
    step, tenant = STEPS[stage], f"{stage}_killed"
    moments = [random.Random(f"{SEED} {stage} {n}").random() * seconds[step] for n in range(3)]
    stack.add(tenant, **write_day(tenant, FIRST_DAY))
    kill_in(stack, tenant, step, moments[0], wait_until)
    assert stage == "publish" or stack.published(tenant) is None
    stack.sluice("onboard", tenant)
    assert checksums(tenant) == first
    assert stack.leftovers(tenant) == []

    write_day(tenant, NEXT_DAY)
    # A run that is killed in its last step may have swapped already.
    allowed = {first[GROWING][0], second[GROWING][0]} if stage == "publish" else {first[GROWING][0]}
    with reading(stack, tenant, allowed) as seen:
        for moment in moments[1:]:
            kill_in(stack, tenant, step, moment, wait_until)
            time.sleep(0.1)
        assert checksums(tenant) in ((first, second) if stage == "publish" else (first,))
    assert all(after >= before for before, after in pairwise(seen))
    stack.sluice("onboard", tenant)
    assert checksums(tenant) == second
    assert stack.leftovers(tenant) == []


def test_a_run_killed_between_the_seal_and_the_swap_leaves_the_release_that_was(
    stack, calm, write_day, checksums, wait_until
):
    first, second, _ = calm
    stack.add("sealed", **write_day("sealed", FIRST_DAY))
    stack.sluice("onboard", "sealed")
    write_day("sealed", NEXT_DAY)
    lock = "select 1 from sluice.tenants where tenant_id = 'sealed' for update"
    query = "select number from sluice.releases where tenant_id = 'sealed' and sealed_at is not null order by 1"
    with (
        psycopg.connect(load_endpoints(stack.home).control_url) as control,
        begun(stack, "sealed", STEPS["publish"], wait_until) as (run, _),
    ):

        def is_sealed():
            """Whether the build is sealed; if so the tenant's row is ours, and the swap waits for it."""
            control.rollback()
            control.execute(lock)
            return control.execute(query).fetchall() == [(1,), (2,)]

        wait_until(lambda: run.poll() is not None or is_sealed(), pause=0)
        run.send_signal(signal.SIGKILL)
        run.wait()
        control.rollback()
    assert (stack.published("sealed"), checksums("sealed")) == (1, first)
    stack.sluice("onboard", "sealed")
    assert checksums("sealed") == second
    assert stack.leftovers("sealed") == []


def test_the_death_of_airbyte_in_a_sync_and_of_postgres_in_a_build_is_made_good_by_up(
    stack, calm, write_day, checksums, wait_until
):
    first, second, _ = calm
    stack.add("rescued", **write_day("rescued", FIRST_DAY))
    syncing = """
        select 1 from airbyte.jobs join airbyte.connections using (connection_id)
        where jobs.status = 'running' and namespace_format = 'tenant_rescued' and prefix = 'web_'
    """
    with begun(stack, "rescued", STEPS["sync"], wait_until) as (run, _):
        wait_until(lambda: run.poll() is not None or stack.control(syncing))
        os.kill(processes.running(stack.home, ingestion_server.NAME), signal.SIGKILL)
        assert "Airbyte" in stack.end(run).sentence
    assert stack.published("rescued") is None
    stack.sluice("up", "--no-ui")
    stack.sluice("onboard", "rescued")
    assert (checksums("rescued"), stack.leftovers("rescued")) == (first, [])

    write_day("rescued", NEXT_DAY)
    building = "select 1 from pg_tables where schemaname = 'tenant_rescued_analytics__build'"
    with begun(stack, "rescued", STEPS["build"], wait_until) as (run, _):
        wait_until(lambda: run.poll() is not None or stack.control(building))
        os.kill(int((stack.home / "postgres" / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        assert stack.end(run).sentence
    stack.sluice("up", "--no-ui")
    assert checksums("rescued") == first
    stack.sluice("onboard", "rescued")
    assert (checksums("rescued"), stack.leftovers("rescued")) == (second, [])
