"""Failures that may pass: what is tried again, what is not, and what everybody sees meanwhile."""

import base64
import time
from urllib.parse import quote

import pytest

ONCE = """
status("STARTED")
[record(number) for number in range(since + 1, since + 11)]
{before}
if not os.path.exists({marker!r}):
    open({marker!r}, "w").close()
    time.sleep(0.2)
    sys.exit(3)
[record(number) for number in range(since + 11, since + 21)]
status("COMPLETE")
"""


def end_pause(shop, job):
    """Let the job's next attempt be due; a job of another connection wakes the queue."""
    shop.execute("update airbyte.jobs set next_attempt_at = now() where job_id = %s", job["jobId"])
    shop.workshop.sync(shop.connect("status('COMPLETE')", prefix=f"bell{job['jobId']}_"))


@pytest.fixture
def flaky(shop, tmp_path):
    """A job whose first attempt has failed: it waits for the second."""
    code = ONCE.format(marker=str(tmp_path / "marker"), before="")
    shop.connection = shop.connect(code)
    return shop.workshop.wait(shop.workshop.start(shop.connection), "incomplete", "failed", "succeeded")


def test_a_job_that_failed_in_a_way_that_may_pass_waits_and_is_tried_again(shop, flaky):
    assert flaky["status"] == "incomplete"
    assert "exit code 3" in flaky["failureReason"]
    seen = shop.embedded(flaky)
    assert seen["nextAttemptAt"] > seen["startTime"]
    assert [attempt["status"] for attempt in seen["attempts"]] == ["failed"]
    again = shop.workshop.client.post(
        "/jobs", json={"connectionId": shop.connection["connectionId"], "jobType": "sync"}
    )
    assert again.status_code == 409
    assert f"job {flaky['jobId']}" in again.json()["detail"]
    # The only slot is free: the sync that ends the pause runs in it.
    end_pause(shop, flaky)
    ended = shop.workshop.wait(flaky)
    assert ended["status"] == "succeeded", ended
    assert "failureReason" not in ended
    assert ended["startTime"] == flaky["startTime"]
    assert ended["rowsSynced"] == 20
    assert sorted(shop.workshop.rows("shop_items", "id")) == [(number,) for number in range(1, 21)]
    first, second = (item["attempt"] for item in shop.legacy(flaky)["attempts"])
    assert (first["id"], first["status"], second["id"], second["status"]) == (0, "failed", 1, "succeeded")
    assert "exit code 3" in first["failureSummary"]["failures"][0]["externalMessage"]
    assert second["totalStats"]["recordsEmitted"] == 20
    logs = [item["logs"]["logLines"] for item in shop.legacy(flaky)["attempts"]]
    assert "It is tried again in 600 s." in logs[0][-1]
    assert "Job succeeded after" in logs[1][-1]
    assert shop.log(flaky).count("started: sync of connection") == 2


def test_a_job_is_cancelled_between_two_attempts(shop, flaky):
    cancelled = shop.workshop.client.delete(f"/jobs/{flaky['jobId']}").json()
    assert cancelled["status"] == "cancelled"
    assert "nextAttemptAt" not in shop.embedded(flaky)
    assert shop.workshop.sync(shop.connection)["status"] == "succeeded"


@pytest.mark.slow
def test_a_deleted_connections_job_is_not_tried_again(shop, flaky):
    assert shop.workshop.client.delete(f"/connections/{shop.connection['connectionId']}").status_code == 204
    assert shop.workshop.client.get(f"/jobs/{flaky['jobId']}").status_code == 404


@pytest.mark.slow
def test_the_last_attempts_failure_is_the_jobs(shop):
    connection = shop.connect(
        "record(1); fail('The source is down for the ' + str(since) + 'th time.', 'transient_error')"
    )
    job = shop.workshop.wait(shop.workshop.start(connection), "incomplete")
    end_pause(shop, job)
    ended = shop.workshop.wait(job)
    assert ended["status"] == "failed"
    assert "The source is down" in ended["failureReason"]
    assert [attempt["status"] for attempt in shop.embedded(job)["attempts"]] == ["failed", "failed"]
    assert shop.workshop.wait(shop.workshop.start(connection), "incomplete")["jobId"] > job["jobId"]


def test_what_a_person_must_mend_is_not_tried_again(shop):
    job = shop.workshop.sync(shop.connect("fail('The key is wrong.', 'config_error')"))
    assert (job["status"], job["failureReason"]) == ("failed", "The key is wrong.")
    assert len(shop.embedded(job)["attempts"]) == 1


def test_an_incremental_stream_goes_on_and_the_jobs_counts_are_those_of_all_attempts(shop, tmp_path):
    code = ONCE.format(marker=str(tmp_path / "marker"), before="state(since + 10)")
    connection = shop.connect(code, mode="incremental_append", prefix="more_")
    job = shop.workshop.wait(shop.workshop.start(connection), "incomplete")
    assert job["rowsSynced"] == 10
    end_pause(shop, job)
    ended = shop.workshop.wait(job)
    assert ended["status"] == "succeeded", ended
    assert sorted(shop.workshop.rows("more_items", "id")) == [(number,) for number in range(1, 31)]
    assert ended["rowsSynced"] == 30
    counts = [attempt["rowsSynced"] for attempt in shop.embedded(job)["attempts"]]
    assert counts == [10, 20]


def test_counts_grow_while_a_slow_source_is_read(shop, tmp_path):
    gate = tmp_path / "gate"
    code = f"""
        for _ in range(2):
            [record(number) for number in range(25)]
            while not os.path.exists({str(gate)!r}):
                time.sleep(0.01)
            os.remove({str(gate)!r})
        status("COMPLETE")
    """
    job = shop.workshop.start(shop.connect(code, prefix="slow_"))
    for expected in (25, 50):
        deadline = time.monotonic() + 30
        while (streams := shop.embedded(job)["streams"]) == [] or streams[0]["recordsEmitted"] < expected:
            assert time.monotonic() < deadline, streams
            time.sleep(0.05)
        (attempt,) = (item["attempt"] for item in shop.legacy(job)["attempts"])
        assert attempt["status"] == "running"
        assert attempt["streamStats"][0]["stats"]["recordsEmitted"] == expected == streams[0]["recordsEmitted"]
        assert shop.workshop.client.get(f"/jobs/{job['jobId']}").json()["bytesSynced"] == streams[0]["bytesEmitted"] > 0
        gate.touch()
    assert shop.workshop.wait(job)["status"] == "succeeded"


def test_a_secret_is_in_no_log_however_it_is_written(shop):
    secret = 'p&ss "wörd" /?'
    forms = [secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode(), repr(secret)]
    code = f"""
        for padding in (0, 3990):
            text = "x" * padding + " | ".join({forms!r}) + json.dumps(config["api_secret"])
            say("log", level="INFO", message=text)
            print("printed", text)
            print("complained", text, file=sys.stderr)
        fail("failed " + " | ".join({forms!r}), "config_error")
    """
    job = shop.workshop.sync(shop.connect(code, prefix="secret_", api_secret=secret))
    told = shop.log(job) + str(shop.legacy(job)) + str(job) + shop.workshop.server.log.read_text()
    assert all(word in told for word in ("xxxx", "printed ***", "complained ***", "failed ***"))
    assert not any(form in told for form in (*forms, "wörd", "w%C3%B6rd", forms[2][:12], "p&ss"))
