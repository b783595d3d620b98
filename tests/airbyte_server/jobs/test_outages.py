"""A database that goes away, a server that stops, a job that takes too long: nothing is lost, and nobody is misled."""

import signal
import time
from contextlib import contextmanager

import httpx
import psycopg
import pytest
from psycopg import sql

READ = """
status("STARTED")
[record(number) for number in range(since + 1, since + 21)]
state(since + 20)
while not os.path.exists({gate!r}):
    time.sleep(0.01)
[record(number) for number in range(since + 21, since + 41)]
state(since + 40)
status("COMPLETE")
"""


@pytest.fixture(scope="module")
def server(make_script_server):
    made = make_script_server(AIRBYTE_SERVER_JOB_ATTEMPTS="6", AIRBYTE_SERVER_JOB_RETRY_PAUSE_SECONDS="0.5")
    made.start()
    return made


@pytest.fixture
def shop(server, make_script_shop):
    return make_script_shop(server)


@contextmanager
def cut_off(postgres, url):
    """Nobody can reach the server's database, whoever was there is thrown out."""
    name = httpx.URL(url).path.removeprefix("/")
    allow = sql.SQL("alter database {} with allow_connections {}")
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        try:
            admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])
            yield
        finally:
            admin.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


def health(server):
    return httpx.get(f"{server.url}/health", timeout=60).status_code


@pytest.mark.slow
def test_a_lost_database_makes_the_server_unhealthy_and_its_job_goes_on_afterwards(shop, server, postgres, tmp_path):
    gate = tmp_path / "gate"
    connection = shop.connect(READ.format(gate=str(gate)), mode="incremental_append")
    job = shop.workshop.wait(shop.workshop.start(connection), "running")
    deadline = time.monotonic() + 30
    while not (streams := shop.embedded(job)["streams"]) or streams[0]["recordsEmitted"] < 20:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with cut_off(postgres, server.database_url):
        assert health(server) == 503
        refused = shop.workshop.client.get(f"/jobs/{job['jobId']}")
        assert refused.status_code == 503
        gate.touch()
        time.sleep(1)
    deadline = time.monotonic() + 30
    while health(server) != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    ended = shop.workshop.wait(job, seconds=60)
    assert ended["status"] == "succeeded", (ended, shop.log(job))
    ids = sorted(row[0] for row in shop.workshop.rows("shop_items", "id"))
    assert ids == list(range(1, len(ids) + 1))
    assert len(shop.embedded(job)["attempts"]) >= 2
    # The lock that keeps a second server out was lost with the connection, and is taken again.
    held = """
        select count(*) from pg_locks join pg_database on pg_database.oid = database
        where locktype = 'advisory' and objid = %s and datname = current_database()
    """
    assert shop.execute(held, 0x41697262) == [(1,)]


@pytest.mark.slow
def test_a_back_off_outlives_the_server(make_script_server, make_script_shop, tmp_path):
    server = make_script_server(AIRBYTE_SERVER_JOB_RETRY_PAUSE_SECONDS="600", AIRBYTE_SERVER_JOB_TIMEOUT_SECONDS="5")
    server.start()
    shop = make_script_shop(server)
    connection = shop.connect("sys.exit(3)")
    job = shop.workshop.wait(shop.workshop.start(connection), "incomplete")
    due = shop.embedded(job)["nextAttemptAt"]
    for how in (signal.SIGTERM, signal.SIGKILL):
        server.stop(how)
        server.start()
        found = shop.embedded(job)
        assert (found["status"], found["nextAttemptAt"], len(found["attempts"])) == ("incomplete", due, 1)
    assert shop.workshop.client.delete(f"/jobs/{job['jobId']}").json()["status"] == "cancelled"
    # The same server, for it takes seconds to start: a job that takes longer than it may.
    slow = shop.workshop.sync(shop.connect("record(os.getpid()); time.sleep(600)", prefix="slow_"))
    assert slow["status"] == "failed"
    assert "AIRBYTE_SERVER_JOB_TIMEOUT_SECONDS" in slow["failureReason"]
    assert len(shop.embedded(slow)["attempts"]) == 1


@pytest.mark.slow
def test_a_server_that_dies_each_time_fails_its_job_in_the_end(make_script_server, make_script_shop, tmp_path):
    server = make_script_server(AIRBYTE_SERVER_JOB_ATTEMPTS="2")
    server.start()
    shop = make_script_shop(server)
    job = shop.workshop.start(shop.connect("time.sleep(600)"))
    for _ in range(2):
        shop.workshop.wait(job, "running")
        server.stop(signal.SIGKILL)
        server.start()
    ended = shop.workshop.wait(job)
    assert (ended["status"], ended["failureReason"]) == ("failed", "The server stopped while the job ran.")
    assert [attempt["status"] for attempt in shop.embedded(job)["attempts"]] == ["failed", "failed"]
