"""A disk without room costs attempts; with room again the job goes on by itself, and the tables are the source."""

import contextlib
import tempfile
import time
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.slow

SIZE, LEFT, CHANGES = "330m", 3 * 1024**2, 20_000


@pytest.fixture(scope="module")
def disk(mounted):
    folder = Path(tempfile.mkdtemp(prefix="sluice-faults-disk-"))
    folder.chmod(0o711)
    with mounted(folder, SIZE):
        yield folder
    folder.rmdir()


@pytest.fixture(scope="module")
def cluster(disk, make_own_cluster):
    with make_own_cluster(disk) as made:
        yield made


@pytest.fixture
def workshop(cluster, make_server, make_workshop, with_scripted_source):
    server = make_server(cluster=cluster.postgres, **{**with_scripted_source, "AIRBYTE_SERVER_JOB_ATTEMPTS": "1000"})
    server.start()
    yield make_workshop(server)
    server.stop()


def reasons(workshop, job):
    """Why attempts failed, as far as a database without room lets it be known."""
    with contextlib.suppress(httpx.HTTPError, KeyError), workshop.server.client("/api/v1") as client:
        attempts = client.post("/jobs/get", json={"id": job["jobId"]}).json()["attempts"]
        return [each["attempt"]["failureSummary"]["failures"][0]["externalMessage"] for each in attempts[:-1]]
    return []


def test_a_job_that_fills_the_disk_is_tried_until_there_is_room(
    workshop, cluster, disk, filled, make_shop, connect_shop
):
    shop = make_shop()
    connection = connect_shop(workshop, shop)
    assert workshop.sync(connection)["status"] == "succeeded"
    shop.check(workshop.server.loader_url, workshop.namespace)
    shop.change(CHANGES)
    with filled(disk, LEFT):
        job = workshop.start(connection)
        deadline = time.monotonic() + 60
        while not (said := reasons(workshop, job)):
            assert time.monotonic() < deadline
            time.sleep(0.2)
    cluster.revive()
    assert any(sign in said[0] for sign in ("out of room", "connection to PostgreSQL", "database")), said
    deadline = time.monotonic() + 60
    while (found := _found(workshop, job)) != "succeeded":
        assert found in (None, "pending", "running", "incomplete"), found
        assert time.monotonic() < deadline
        time.sleep(0.2)
    shop.check(workshop.server.loader_url, workshop.namespace)


def _found(workshop, job):
    with contextlib.suppress(httpx.HTTPError, KeyError):
        return workshop.client.get(f"/jobs/{job['jobId']}").json()["status"]
    return None
