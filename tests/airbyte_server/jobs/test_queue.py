"""The queue under load, its schedules, and what stops a job: seen in the tables and from outside."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from airbyte_server.errors import RetryableError
from airbyte_server.jobs.attempts import RetryPolicy
from airbyte_server.jobs.claiming import claim_next
from airbyte_server.jobs.store import end_job
from airbyte_server.jobs.supervisor import Supervisor
from airbyte_server.state.storage import Storage
from sqlalchemy import text

# Three workspaces with twenty connections each, all of them with a waiting job, those of the first workspace first.
CROWD = """
insert into airbyte.workspaces (workspace_id, name)
select lpad(w::text, 32, '0')::uuid, 'w' || w from generate_series(1, 3) w;
insert into airbyte.actors (actor_id, kind, workspace_id, name, type_name, definition_id, configuration)
select lpad((w * 10 + k)::text, 32, '0')::uuid, 'any', lpad(w::text, 32, '0')::uuid, 'x', 'x', gen_random_uuid(), 'x'
from generate_series(1, 3) w, generate_series(1, 2) k;
insert into airbyte.connections (
    connection_id, workspace_id, source_id, destination_id, name, status, schedule, namespace_definition, prefix,
    schema_changes, catalog, streams
)
select lpad((w * 1000 + n)::text, 32, '0')::uuid, lpad(w::text, 32, '0')::uuid, lpad((w * 10 + 1)::text, 32, '0')::uuid,
       lpad((w * 10 + 2)::text, 32, '0')::uuid, 'c', 'active', '{}', 'destination', '', 'ignore', '[]', '[]'
from generate_series(1, 3) w, generate_series(1, 20) n;
insert into airbyte.jobs (connection_id, job_type, status)
select connection_id, 'sync', 'pending' from airbyte.connections order by connection_id;
"""


@pytest.fixture
def crowd(database):
    storage = Storage(database)
    storage.open()
    with storage.begin() as connection:
        for statement in CROWD.strip().removesuffix(";").split(";\n"):
            connection.execute(text(statement))
    yield storage
    storage.close()


def test_three_workspaces_share_the_slots_to_the_last_job(crowd):
    workspace_of = "select workspace_id::text from airbyte.connections where connection_id = :connection"
    running, order = [], []
    with crowd.begin() as connection:
        while True:
            while len(running) < 4 and (job := claim_next(connection)) is not None:
                running.append(job)
                order.append(connection.execute(text(workspace_of), {"connection": job.connection_id}).scalar_one()[-1])
            if not running:
                break
            end_job(connection, running.pop(0).job_id, "succeeded")
    assert len(order) == 60
    for start in range(0, 60, 3):
        assert sorted(order[start : start + 3]) == ["1", "2", "3"], order


def test_a_connection_whose_process_is_not_gone_yet_waits(crowd):
    with crowd.begin() as connection:
        first = claim_next(connection)
        end_job(connection, first.job_id, "cancelled")
        insert = "insert into airbyte.jobs (connection_id, job_type, status) values (:id, 'sync', 'pending')"
        connection.execute(text(insert), {"id": first.connection_id})
        busy = {first.connection_id}
        claimed = []
        while (job := claim_next(connection, busy=busy)) is not None:
            claimed.append(job.connection_id)
        assert len(claimed) == 59
        assert first.connection_id not in claimed
        assert claim_next(connection).connection_id == first.connection_id


@pytest.mark.parametrize(
    ("failed", "expected"), [(1, 10), (2, 30), (3, 90), (4, 100), (9, 100), (10, None), (11, None)]
)
def test_pauses_grow_to_the_longest_and_end_with_the_last_attempt(failed, expected):
    policy = RetryPolicy(attempts=10, first_pause=timedelta(seconds=10), longest_pause=timedelta(seconds=100))
    pause = policy.pause_after(failed)
    assert (None if pause is None else pause.total_seconds()) == expected


def test_a_queue_that_does_not_run_is_unhealthy():
    policy = RetryPolicy(attempts=1, first_pause=timedelta(0), longest_pause=timedelta(0))
    queue = Supervisor(None, None, policy, limit=1, retention=timedelta(days=1), schedules=None)
    with pytest.raises(RetryableError, match="start the server again"):
        queue.check()


def wait_until(is_so, seconds=20):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_gone(pid):
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


STUBBORN = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
own = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], "
own += "start_new_session=True); time.sleep(600)"
pids = [os.getpid(), child(start_new_session=True), child(own)]
time.sleep(0.3)
below = open(f"/proc/{{pids[2]}}/task/{{pids[2]}}/children").read().split()
open({path!r} + ".part", "w").write(" ".join(map(str, [*pids, *below])))
os.rename({path!r} + ".part", {path!r})
time.sleep(600)
"""


@pytest.mark.parametrize("when", ["read", pytest.param("discover", marks=pytest.mark.slow)])
def test_a_cancelled_job_ends_all_that_its_connector_started(shop, tmp_path, when):
    path = tmp_path / "pids"
    stubborn = STUBBORN.format(path=str(path))
    connection = shop.connect(stubborn)
    if when == "discover":
        change = {"configuration": {"sourceType": "script", "discover": stubborn}}
        assert shop.workshop.client.patch(f"/sources/{connection['sourceId']}", json=change).status_code == 200
        shop.execute(
            "update airbyte.connections set schema_changes = 'propagate_columns' where connection_id = %s",
            connection["connectionId"],
        )
    job = shop.workshop.start(connection)
    wait_until(path.exists)
    pids = list(map(int, path.read_text().split()))
    assert len(pids) == 4
    assert not any(map(is_gone, pids))
    assert shop.workshop.client.delete(f"/jobs/{job['jobId']}").json()["status"] == "cancelled"
    wait_until(lambda: all(map(is_gone, pids)), seconds=5)


def test_a_schedule_starts_one_job_however_late_it_is_and_none_beside_a_running_one(shop, tmp_path):
    gate = tmp_path / "gate"
    code = f"while not os.path.exists({str(gate)!r}): time.sleep(0.01)\nstatus('COMPLETE')"
    connection = shop.connect(code)
    path = f"/connections/{connection['connectionId']}"
    yearly = {"scheduleType": "cron", "cronExpression": "0 0 0 1 1 ? UTC"}
    assert shop.workshop.client.patch(path, json={"schedule": yearly}).json()["schedule"] == yearly

    def due():
        query = "select due_at > now() from airbyte.schedule_runs where connection_id = %s"
        return shop.execute(query, connection["connectionId"])

    def jobs():
        query = {"connectionId": connection["connectionId"]}
        return shop.workshop.client.get("/jobs", params=query).json()["data"]

    def make_due():
        late = "update airbyte.schedule_runs set due_at = now() - interval '3 years' where connection_id = %s"
        shop.execute(late, connection["connectionId"])
        wait_until(lambda: due() == [(True,)])

    wait_until(lambda: due() == [(True,)])
    assert jobs() == []
    make_due()
    (job,) = jobs()
    make_due()
    assert [each["jobId"] for each in jobs()] == [job["jobId"]]
    gate.touch()
    assert shop.workshop.wait(job)["status"] == "succeeded"
    shop.workshop.client.patch(path, json={"schedule": {"scheduleType": "manual"}})
    shop.execute(
        "update airbyte.schedule_runs set due_at = now() - interval '1 hour' where connection_id = %s",
        connection["connectionId"],
    )
    shop.workshop.sync(shop.connect("status('COMPLETE')", prefix="bell_"))
    assert [each["jobId"] for each in jobs()] == [job["jobId"]]


def test_a_broken_schedule_stops_nothing_else(shop):
    broken = shop.connect("status('COMPLETE')", prefix="broken_")
    shop.execute(
        'update airbyte.connections set schedule = \'{"scheduleType": "cron"}\' where connection_id = %s',
        broken["connectionId"],
    )
    assert shop.workshop.sync(shop.connect("status('COMPLETE')"))["status"] == "succeeded"
    assert shop.workshop.client.get("/health").json() == {"available": True}


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in chunks"])
def test_a_body_that_is_too_large_is_refused(shop, announced):
    body = b'{"name": "' + b"x" * (1 << 20) + b'"}'
    content = body if announced else (body[start : start + 65536] for start in range(0, len(body), 65536))
    headers = {"Content-Type": "application/json"}
    refused = shop.workshop.client.post("/workspaces", content=content, headers=headers)
    assert refused.status_code == 413
    assert "AIRBYTE_SERVER_LONGEST_BODY_MIB" in refused.json()["detail"]
    assert shop.workshop.client.post("/workspaces", json={"name": "x" * 100}).status_code == 200
