"""What a job leaves to read, and how long."""

from datetime import timedelta

import psycopg
import pytest
from airbyte_server.jobs import store as job_store
from airbyte_server.jobs.log import JobLog
from airbyte_server.state.storage import Storage
from airbyte_server.state.tables import jobs
from sqlalchemy import select

RETENTION = timedelta(days=90)


@pytest.fixture
def shop(workshop):
    workshop.write("orders", [{"id": n} for n in range(50)])
    workshop.connection = workshop.connect(workshop.source(password="hunter2-hunter2"))
    return workshop


@pytest.fixture
def storage(server):
    """The running server's database; not opened, so that the server keeps its lock."""
    storage = Storage(server.database_url)
    yield storage
    storage.engine.dispose()


def logs(shop, job, **query):
    path = f"{shop.server.root}/api/embedded/v1/jobs/{job['jobId']}"
    return shop.client.get(f"{path}/logs", params=query).json()


def test_a_jobs_log_tells_what_happened_in_order(shop):
    job = shop.sync(shop.connection)
    answer = logs(shop, job)
    messages = [line["message"] for line in answer["data"]]
    assert messages[0].startswith(f"Job {job['jobId']} started: sync of connection")
    assert "Source file is read: orders." in messages
    assert "Stream orders is complete: 50 records" in " ".join(messages)
    assert messages[-1].startswith("Job succeeded after")
    assert [line["line"] for line in answer["data"]] == list(range(1, len(messages) + 1))
    first = logs(shop, job, limit=1)
    assert (len(first["data"]), first["previous"]) == (1, "")
    assert shop.client.get(first["next"]).json()["data"] == [answer["data"][1]]
    legacy = shop.client.post("/jobs/get", json={"id": job["jobId"]}).json()
    assert legacy["attempts"][0]["logs"]["logLines"][-1].endswith(messages[-1])


def test_a_jobs_streams_are_told_with_their_counts(shop):
    job = shop.sync(shop.connection)
    found = shop.client.get(f"{shop.server.root}/api/embedded/v1/jobs/{job['jobId']}").json()
    assert {name: found[name] for name in job} == job
    (stream,) = found["streams"]
    assert stream["bytesEmitted"] == job["bytesSynced"] > 0
    counts = {name: stream[name] for name in ("streamName", "status", "recordsEmitted", "recordsCommitted")}
    assert counts == {"streamName": "orders", "status": "complete", "recordsEmitted": 50, "recordsCommitted": 50}


@pytest.mark.parametrize("changes", ["propagate_columns", "ignore"], ids=["while planned", "while read"])
def test_a_failure_is_in_the_log_without_its_secrets(shop, changes):
    path = f"/connections/{shop.connection['connectionId']}"
    shop.client.patch(path, json={"nonBreakingSchemaUpdatesBehavior": changes})
    source = shop.client.get("/sources", params={"workspaceIds": shop.workspace_id}).json()["data"][0]["sourceId"]
    change = {"configuration": {"path": "/nowhere/hunter2-hunter2"}}
    shop.client.patch(f"/sources/{source}", json=change)
    job = shop.sync(shop.connection)
    assert job["status"] == "failed"
    text = str(logs(shop, job))
    assert "/nowhere/**********" in text
    assert "hunter2" not in text + str(job)


def test_the_newest_lines_are_kept(shop, storage):
    job = shop.sync(shop.connection)
    with psycopg.connect(shop.server.database_url) as connection:
        connection.execute("delete from airbyte.job_logs where job_id = %s", [job["jobId"]])
    log = JobLog(storage, job["jobId"], keep=10)
    for number in range(1200):
        log.add("INFO", f"line {number}\0")
    log.flush()
    assert [line["message"] for line in logs(shop, job)["data"]] == [f"line {n}" for n in range(1190, 1200)]


def test_old_jobs_are_forgotten_but_not_a_connections_newest(shop, storage):
    made = [shop.sync(shop.connection)["jobId"] for _ in range(3)]
    with storage.engine.connect() as connection, connection.begin() as transaction:
        mine = select(jobs.c.job_id).where(jobs.c.job_id.in_(made)).order_by(jobs.c.job_id)
        connection.execute(jobs.update().where(jobs.c.job_id.in_(made[1:])).values(ended_at="2020-01-01T00:00:00Z"))
        job_store.prune_jobs(connection, older_than=RETENTION)
        assert list(connection.execute(mine).scalars()) == [made[0], made[2]]
        connection.execute(jobs.update().where(jobs.c.job_id.in_(made)).values(ended_at="2020-01-01T00:00:00Z"))
        job_store.prune_jobs(connection, older_than=RETENTION)
        assert list(connection.execute(mine).scalars()) == [made[2]]
        transaction.rollback()


def test_an_unknown_jobs_log_is_404_and_needs_a_token(shop):
    root = f"{shop.server.root}/api/embedded/v1/jobs"
    assert shop.client.get(f"{root}/999999999/logs").status_code == 404
    assert shop.client.get(f"{root}/1/logs", headers={"Authorization": ""}).status_code == 401
