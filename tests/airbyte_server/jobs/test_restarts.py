"""What a server leaves behind when it ends, and what the next one makes of it."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from airbyte_server.secrets.box import make_key
from psycopg import sql

RECORDS = [{"id": n} for n in range(100)]


@pytest.fixture
def shop(script_server, make_workshop):
    """A workshop on a server that runs one job at a time, with two connections, both synced once."""
    workshop = make_workshop(script_server)
    workshop.write("orders", RECORDS)
    workshop.connections = [workshop.connect(workshop.source(), prefix=prefix) for prefix in ("one_", "two_")]
    for connection in workshop.connections:
        assert workshop.sync(connection)["status"] == "succeeded"
    return workshop


@contextmanager
def locked(shop, table):
    with psycopg.connect(shop.server.loader_url) as holder:
        holder.execute(sql.SQL("lock table {} in access exclusive mode").format(sql.Identifier(shop.namespace, table)))
        yield


def descendants(pid):
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def assert_gone(pids, seconds=5):
    deadline = time.monotonic() + seconds
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline, [Path(f"/proc/{pid}/cmdline").read_text() for pid in pids]
        time.sleep(0.05)


def attempts(shop, job):
    """What the embedded API tells of the job's attempts."""
    return shop.client.get(f"{shop.server.root}/api/embedded/v1/jobs/{job['jobId']}").json()["attempts"]


def test_a_job_of_a_killed_server_is_tried_again_and_its_children_are_gone(shop):
    one, two = shop.connections
    with locked(shop, "one_orders"):
        running = shop.wait(shop.start(one), "running")
        waiting = shop.start(two)
        time.sleep(0.5)
        children = descendants(shop.server.process.pid)
        assert len(children) >= 3
        shop.server.stop(signal.SIGKILL)
        assert_gone(children)
        shop.server.start()
        again = shop.wait(running, "running")
        body = {"connectionId": one["connectionId"], "jobType": "sync"}
        assert shop.client.post("/jobs", json=body).status_code == 409
    assert shop.wait(again)["status"] == "succeeded"
    assert shop.wait(waiting)["status"] == "succeeded"
    first, second = attempts(shop, running)
    assert (first["status"], first["failureReason"]) == ("failed", "The server stopped while the job ran.")
    assert second["status"] == "succeeded"
    assert len(shop.rows("one_orders")) == len(RECORDS)


def test_a_terminated_server_goes_on_with_its_job_when_it_starts_again(shop):
    with locked(shop, "one_orders"):
        running = shop.wait(shop.start(shop.connections[0]), "running")
        children = descendants(shop.server.process.pid)
        started = time.monotonic()
        assert shop.server.stop() in (0, -signal.SIGTERM)
        assert time.monotonic() - started < 8
        assert_gone(children)
    shop.server.start()
    assert shop.wait(running)["status"] == "succeeded"
    first, second = attempts(shop, running)
    assert (first["status"], first["failureReason"]) == ("failed", "The server was stopped while the job ran.")
    assert second["status"] == "succeeded"


def test_the_limit_of_concurrent_jobs_holds_and_a_cancelled_job_makes_room(shop):
    one, two = shop.connections
    with locked(shop, "one_orders"):
        running = shop.wait(shop.start(one), "running")
        waiting = shop.start(two)
        time.sleep(0.3)
        assert shop.client.get(f"/jobs/{waiting['jobId']}").json()["status"] == "pending"
        shop.client.delete(f"/jobs/{running['jobId']}")
        assert shop.wait(waiting)["status"] == "succeeded"


def test_a_pending_job_is_cancelled_before_it_starts(shop):
    one, two = shop.connections
    with locked(shop, "one_orders"):
        shop.wait(shop.start(one), "running")
        waiting = shop.start(two)
        cancelled = shop.client.delete(f"/jobs/{waiting['jobId']}").json()
        assert cancelled["status"] == "cancelled"
        assert "duration" not in cancelled


def test_a_cancelled_job_leaves_no_process(shop):
    one, _ = shop.connections
    with locked(shop, "one_orders"):
        before = descendants(shop.server.process.pid)
        running = shop.wait(shop.start(one), "running")
        deadline = time.monotonic() + 20
        while len(children := descendants(shop.server.process.pid) - before) < 1:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert shop.client.delete(f"/jobs/{running['jobId']}").json()["status"] == "cancelled"
        assert_gone(children)
        assert descendants(shop.server.process.pid) <= before


def test_a_killed_job_process_fails_its_attempt_only(shop):
    one, _ = shop.connections
    with locked(shop, "one_orders"):
        before = descendants(shop.server.process.pid)
        running = shop.wait(shop.start(one), "running")
        time.sleep(0.5)
        for pid in descendants(shop.server.process.pid) - before:
            os.kill(pid, signal.SIGKILL)
        shop.wait(running, "incomplete")
        with psycopg.connect(shop.server.database_url) as connection:
            due = "update airbyte.jobs set next_attempt_at = now() where job_id = %s"
            connection.execute(due, [running["jobId"]])
        while len(attempts(shop, running)) < 2:
            time.sleep(0.05)
    assert shop.wait(running)["status"] == "succeeded"
    assert "ended unexpectedly by signal 9" in attempts(shop, running)[0]["failureReason"]


def test_workspaces_take_turns_however_many_jobs_one_of_them_queues(shop, make_workshop):
    other = make_workshop(shop.server)
    other.write("orders", RECORDS)
    theirs = other.connect(other.source())
    mine = [shop.connect(shop.source(), prefix=f"turn{number}_") for number in range(3)]
    with locked(shop, "one_orders"):
        running = shop.wait(shop.start(shop.connections[0]), "running")
        queued = [shop.start(connection) for connection in mine]
        last = other.start(theirs)
        shop.client.delete(f"/jobs/{running['jobId']}")
    for job in (*queued, last):
        assert shop.wait(job)["status"] == "succeeded"
    with psycopg.connect(shop.server.database_url) as connection:
        ids = [job["jobId"] for job in (*queued, last)]
        query = "select job_id from airbyte.jobs where job_id = any(%s) order by started_at"
        order = [row[0] for row in connection.execute(query, [ids])]
    assert order[0] == last["jobId"]
    assert order[1:] == [job["jobId"] for job in queued]


def test_a_server_with_another_key_does_not_start(shop):
    shop.server.stop()
    other = run_beside(shop.server, AIRBYTE_SERVER_SECRET_KEY=make_key())
    assert other.returncode == 2
    assert "start the server with the key that wrote it" in other.stderr
    assert "Traceback" not in other.stderr


def run_beside(server, **changes):
    environment = {
        **os.environ,
        "AIRBYTE_SERVER_DATABASE_URL": server.database_url,
        "AIRBYTE_SERVER_PORT": "0",
        "AIRBYTE_SERVER_SECRET_KEY": server.secret_key,
        **changes,
    }
    command = [sys.executable, "-m", "airbyte_server"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=40)


def test_a_second_server_on_one_database_does_not_start(shop):
    second = run_beside(shop.server)
    assert second.returncode == 2
    assert "Another server already works on this database" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"AIRBYTE_SERVER_SECRET_KEY": "my-own-words"}, "The secret key is none"),
        ({"AIRBYTE_SERVER_HOST": "0.0.0.0"}, "listens on loopback only"),
        ({"AIRBYTE_SERVER_CLIENT_ID": "only-this"}, "Set both"),
        ({"AIRBYTE_SERVER_PORT": "99999"}, "AIRBYTE_SERVER_PORT"),
        ({"AIRBYTE_SERVER_DATABASE_URL": "postgresql://me:hunter2@127.0.0.1:1/x"}, "cannot be reached"),
    ],
    ids=["key", "open door", "half a login", "port", "database"],
)
def test_wrong_settings_end_with_a_sentence_and_no_secret(server, changes, sentence):
    refused = run_beside(server, **changes)
    assert refused.returncode == 2
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not any(secret in refused.stderr for secret in ("my-own-words", "hunter2", server.secret_key))
