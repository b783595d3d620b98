"""A connector that goes wrong costs its own job an attempt, or its end with a reason; the tables are the source's."""

import pytest


@pytest.fixture(scope="module")
def own_server(make_server, with_scripted_source):
    """A server whose limits are soon reached."""
    server = make_server(
        **with_scripted_source,
        AIRBYTE_SERVER_CONNECTOR_SILENCE_SECONDS="3",
        AIRBYTE_SERVER_CONNECTOR_MEMORY_MIB="256",
        AIRBYTE_SERVER_CONNECTOR_LONGEST_LINE_MIB="2",
    )
    server.start()
    return server


@pytest.fixture
def workshop(own_server, make_workshop):
    return make_workshop(own_server)


def attempts_of(workshop, job):
    with workshop.server.client("/api/v1") as client:
        return len(client.post("/jobs/get", json={"id": job["jobId"]}).json()["attempts"])


def test_all_modes_hold_the_source_sync_after_sync(workshop, make_shop, connect_shop):
    shop = make_shop()
    connection = connect_shop(workshop, shop)
    for _ in range(2):
        job = workshop.sync(connection)
        assert job["status"] == "succeeded", job
        shop.check(workshop.server.loader_url, workshop.namespace)
        shop.change()


SLOW = pytest.mark.slow
CASES = [
    pytest.param("noise", {}, 1, None, id="text-between-messages", marks=SLOW),
    pytest.param("exit_0", {}, 2, None, id="ends-early-as-if-well"),
    pytest.param("exit_1", {}, 2, None, id="exits-with-1", marks=SLOW),
    pytest.param("half_a_line", {}, 2, None, id="dies-within-a-line", marks=SLOW),
    pytest.param("garbage", {}, 1, "is not JSON; the connector is broken", id="garbage"),
    pytest.param("long_line", {"mib": 3}, 1, "a line of more than 2 MiB", id="long-line", marks=SLOW),
    pytest.param("crash", {}, 2, None, id="segmentation-fault", marks=SLOW),
    pytest.param("close_output", {}, 2, None, id="closes-its-output-and-lives-on", marks=SLOW),
    pytest.param("silence", {}, 2, None, id="says-nothing-more", marks=SLOW),
    pytest.param("orphan", {}, 2, None, id="leaves-a-process", marks=SLOW),
    pytest.param("memory", {}, 1, "needs more than 256 MiB of memory", id="takes-all-memory", marks=SLOW),
    pytest.param("complaints", {"mib": 50}, 1, None, id="floods-its-errors", marks=SLOW),
    pytest.param("long_line", {"mib": 200}, 1, "a line of more than 2 MiB", id="very-long-line", marks=SLOW),
]


@pytest.mark.parametrize(("kind", "how", "attempts", "reason"), CASES)
def test_only_its_own_job_feels_it_and_the_tables_are_the_sources(
    workshop, make_shop, connect_shop, kind, how, attempts, reason
):
    shop = make_shop()
    connection = connect_shop(workshop, shop)
    assert workshop.sync(connection)["status"] == "succeeded"
    shop.check(workshop.server.loader_url, workshop.namespace)
    shop.change()
    workshop.write("orders", [{"id": n} for n in range(500)])
    bystander = workshop.connect(workshop.source(), prefix="file_")
    # Half of what one sync sends: three streams of all changes, two of the new ones.
    shop.fault(kind, after=(3 * len(shop.changes) + 2 * 40) // 2, **how)
    job, other = workshop.start(connection), workshop.start(bystander)
    ended = workshop.wait(job)
    log = workshop.client.get(f"{workshop.server.root}/api/embedded/v1/jobs/{job['jobId']}/logs").json()
    assert (ended["status"], attempts_of(workshop, job)) == ("failed" if reason else "succeeded", attempts), log["data"]
    assert (workshop.wait(other)["status"], attempts_of(workshop, other)) == ("succeeded", 1)
    assert len(workshop.rows("file_orders")) == 500
    if reason:
        assert reason in ended["failureReason"]
        assert workshop.sync(connection)["status"] == "succeeded"
    shop.check(workshop.server.loader_url, workshop.namespace, failed=int(reason is not None))
    assert shop.processes() == []
