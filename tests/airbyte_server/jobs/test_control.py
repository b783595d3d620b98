"""One job at a time for a connection, and what ends one."""

import time
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

RECORDS = [{"id": n, "note": "x" * 50} for n in range(200)]


@pytest.fixture
def connection(workshop):
    """A connection that has been synced once, so that its table exists."""
    workshop.write("orders", RECORDS)
    made = workshop.connect(workshop.source())
    assert workshop.sync(made)["status"] == "succeeded"
    return made


@contextmanager
def locked(workshop, table="shop_orders"):
    """Nobody can write the table: a job on it runs until it is ended."""
    with psycopg.connect(workshop.server.loader_url) as holder:
        name = sql.Identifier(workshop.namespace, table)
        holder.execute(sql.SQL("lock table {} in access exclusive mode").format(name))
        yield


def test_a_second_job_on_a_busy_connection_is_409_and_names_the_first(workshop, connection):
    with locked(workshop):
        running = workshop.wait(workshop.start(connection), "running")
        body = {"connectionId": connection["connectionId"], "jobType": "sync"}
        response = workshop.client.post("/jobs", json=body)
        assert response.status_code == 409
        assert f"job {running['jobId']}" in response.json()["detail"]
    assert workshop.wait(running)["status"] == "succeeded"


def test_a_job_is_cancelled_within_seconds_and_the_table_stays(workshop, connection):
    with locked(workshop):
        running = workshop.wait(workshop.start(connection), "running")
        started = time.monotonic()
        cancelled = workshop.client.delete(f"/jobs/{running['jobId']}")
        assert cancelled.status_code == 200
        assert cancelled.json()["status"] == "cancelled"
        assert time.monotonic() - started < 5
    assert len(workshop.rows("shop_orders")) == len(RECORDS)
    assert workshop.client.get(f"/jobs/{running['jobId']}").json()["status"] == "cancelled"
    assert workshop.sync(connection)["status"] == "succeeded"


def test_a_job_that_has_ended_stays_as_it_is_when_cancelled(workshop, connection):
    job = workshop.sync(connection)
    again = workshop.client.delete(f"/jobs/{job['jobId']}")
    assert (again.status_code, again.json()["status"]) == (200, "succeeded")


def test_a_deleted_connections_job_is_ended_first(workshop, connection):
    with locked(workshop):
        running = workshop.wait(workshop.start(connection), "running")
        assert workshop.client.delete(f"/connections/{connection['connectionId']}").status_code == 204
        assert workshop.client.get(f"/jobs/{running['jobId']}").status_code == 404


@pytest.mark.parametrize("job_type", ["clear", "reset", "refresh"])
def test_a_job_on_some_streams_is_refused_and_no_table_emptied(workshop, connection, job_type):
    body = {"connectionId": connection["connectionId"], "jobType": job_type, "streams": [{"name": "orders"}]}
    response = workshop.client.post("/jobs", json=body)
    assert (response.status_code, "leave streams out" in response.json()["detail"]) == (422, True)
    assert workshop.sync(connection)["status"] == "succeeded"  # nothing else is queued
    assert len(workshop.rows("shop_orders")) == len(RECORDS)


@pytest.mark.parametrize("method", ["get", "delete"])
def test_an_unknown_job_is_404(workshop, method):
    response = getattr(workshop.client, method)("/jobs/999999999")
    assert (response.status_code, response.json()["detail"]) == (404, "There is no job 999999999.")


@pytest.mark.parametrize(
    ("change", "status"),
    [({"jobType": "nap"}, 422), ({"connectionId": "x"}, 422)],
    ids=["unknown type", "no uuid"],
)
def test_a_job_that_cannot_run_is_refused(workshop, connection, change, status):
    body = {"connectionId": connection["connectionId"], "jobType": "sync", **change}
    assert workshop.client.post("/jobs", json=body).status_code == status


def test_an_inactive_connection_starts_no_job(workshop, connection):
    workshop.client.patch(f"/connections/{connection['connectionId']}", json={"status": "inactive"})
    response = workshop.client.post("/jobs", json={"connectionId": connection["connectionId"], "jobType": "sync"})
    assert response.status_code == 409
    assert "make it active" in response.json()["detail"]


def test_a_malformed_line_fails_the_job_with_the_connectors_sentence(workshop, connection):
    before = workshop.rows("shop_orders")
    with (workshop.folder / "orders.jsonl").open("ab") as lines:
        lines.write(b'{"id": 201, "note": \n')
    workshop.client.patch(
        f"/connections/{connection['connectionId']}", json={"nonBreakingSchemaUpdatesBehavior": "ignore"}
    )
    job = workshop.sync(connection)
    assert job["status"] == "failed"
    assert "orders" in job["failureReason"]
    assert workshop.rows("shop_orders") == before


def test_a_vanished_file_fails_the_job_and_nothing_else(workshop, connection):
    (workshop.folder / "orders.jsonl").unlink()
    job = workshop.sync(connection)
    assert job["status"] == "failed"
    assert str(workshop.folder) in job["failureReason"]
    workshop.write("orders", RECORDS)
    assert workshop.sync(connection)["status"] == "succeeded"


def test_an_unreachable_destination_fails_the_job_without_its_password(workshop, connection):
    path = f"/destinations/{workshop.destination_id}"
    workshop.client.patch(path, json={"configuration": {"port": 1, "password": "hunter2-hunter2"}})
    job = workshop.sync(connection)
    assert job["status"] == "failed"
    assert "127.0.0.1" in job["failureReason"]
    assert "hunter2" not in job["failureReason"]
    assert "hunter2" not in workshop.server.log.read_text()


def test_a_wrong_password_fails_the_job_with_a_sentence(workshop, connection):
    path = f"/destinations/{workshop.destination_id}"
    workshop.client.patch(path, json={"configuration": {"password": "hunter2-hunter2"}})
    job = workshop.sync(connection)
    assert job["status"] == "failed"
    assert "password authentication failed" in job["failureReason"]
    tried = workshop.client.get(f"{workshop.server.root}/api/embedded/v1/jobs/{job['jobId']}").json()["attempts"]
    assert len(tried) == 1
    assert "hunter2" not in str(job)


def test_a_job_that_runs_for_the_tables_alone_is_tried_again(workshop, connection):
    """As where the answer to its claim was lost with the database."""
    with psycopg.connect(workshop.server.database_url, autocommit=True) as session:
        (job_id,) = session.execute(
            "insert into airbyte.jobs (connection_id, job_type, status, attempts, started_at)"
            " values (%s, 'sync', 'running', 1, now()) returning job_id",
            [connection["connectionId"]],
        ).fetchone()
        session.execute(
            "insert into airbyte.job_attempts (job_id, attempt, status) values (%s, 0, 'running')", [job_id]
        )
    assert workshop.wait({"jobId": job_id})["status"] == "succeeded"
    attempts = workshop.client.get(f"{workshop.server.root}/api/embedded/v1/jobs/{job_id}").json()["attempts"]
    assert [attempt["status"] for attempt in attempts] == ["failed", "succeeded"]


def test_what_a_lost_cancel_left_running_is_ended_by_the_next(workshop, connection):
    with locked(workshop):
        running = workshop.wait(workshop.start(connection), "running")
        with psycopg.connect(workshop.server.database_url, autocommit=True) as session:
            ended = "update airbyte.jobs set status = 'cancelled', ended_at = now() where job_id = %s"
            session.execute(ended, [running["jobId"]])
        assert workshop.client.delete(f"/jobs/{running['jobId']}").json()["status"] == "cancelled"
        following = workshop.wait(workshop.start(connection), "running", seconds=10)  # its connection is free
    assert workshop.wait(following)["status"] == "succeeded"
