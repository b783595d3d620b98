"""Refreshes of a source that says what the test wants: states that do not come, ends half-way, a server that dies."""

import signal

import orjson
import psycopg
import pytest

pytestmark = pytest.mark.slow

# Each file of the folder steers the source: what it sends, whether it says how far it came, where it stops.
CODE = """
plan = json.load(open({plan!r}))
status("STARTED")
numbers = [number for number in plan["numbers"] if number > since]
for place, number in enumerate(numbers):
    if place == plan.get("waits_after"):
        open({plan!r} + ".waiting", "w").close()
        time.sleep(600)
    if place == plan.get("stops_after"):
        sys.exit(3)
    record(number, note=str(since))
    if plan.get("says_state", True):
        state(number)
status("COMPLETE")
"""


@pytest.fixture(scope="module")
def server(make_script_server):
    made = make_script_server(
        AIRBYTE_SERVER_JOB_ATTEMPTS="1",
        AIRBYTE_SERVER_JOB_RETRY_PAUSE_SECONDS="0",
        AIRBYTE_SERVER_CONNECTOR_CACHE_SECONDS="0",
    )
    made.start()
    return made


@pytest.fixture
def shop(server, make_script_shop, tmp_path):
    shop = make_script_shop(server)
    shop.plan_file = tmp_path / "plan.json"
    return shop


def plan(shop, numbers, **more):
    shop.plan_file.write_bytes(orjson.dumps({"numbers": list(numbers), **more}))


def connect(shop, mode="incremental_append", **more):
    return shop.connect(CODE.format(plan=str(shop.plan_file)), mode=mode, **more)


def refresh(shop, connection):
    body = {"connectionId": connection["connectionId"], "jobType": "refresh"}
    response = shop.workshop.client.post("/jobs", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def refreshed(shop, connection):
    return shop.workshop.wait(refresh(shop, connection))


def rows(shop):
    """The numbers, and from where they were read."""
    return sorted(shop.workshop.rows("shop_items", "id, note"))


def read(numbers, since=0):
    return [(number, str(since)) for number in numbers]


@pytest.mark.parametrize("mode", ["incremental_append", "incremental_deduped_history"])
def test_a_refresh_without_a_state_of_its_own_leaves_none(shop, mode):
    plan(shop, [1, 2, 3])
    connection = connect(shop, mode)
    assert shop.workshop.sync(connection)["status"] == "succeeded"
    plan(shop, [1, 2], says_state=False)
    assert refreshed(shop, connection)["status"] == "succeeded"
    assert rows(shop) == read([1, 2])
    plan(shop, [1, 2, 5])
    assert shop.workshop.sync(connection)["status"] == "succeeded"
    expected = read([1, 2, 5]) if "deduped" in mode else sorted([*read([1, 2]), *read([1, 2, 5])])
    assert rows(shop) == expected


@pytest.mark.parametrize("mode", ["incremental_append", "incremental_deduped_history"])
def test_a_source_that_stops_half_way_leaves_rows_and_states_as_they_were(shop, mode):
    plan(shop, [1, 2, 3])
    connection = connect(shop, mode)
    assert shop.workshop.sync(connection)["status"] == "succeeded"
    plan(shop, [11, 12, 13], stops_after=2)
    assert refreshed(shop, connection)["status"] == "failed"
    assert rows(shop) == read([1, 2, 3])
    plan(shop, [1, 2, 3, 4])
    assert shop.workshop.sync(connection)["status"] == "succeeded"
    assert rows(shop) == [*read([1, 2, 3]), *read([4], since=3)]


def test_a_refresh_of_a_server_that_dies_changes_nothing_and_can_be_repeated(shop, server):
    plan(shop, [1, 2, 3])
    connection = connect(shop)
    assert shop.workshop.sync(connection)["status"] == "succeeded"
    plan(shop, [11, 12, 13], waits_after=2)
    job = refresh(shop, connection)
    waiting = shop.plan_file.with_name("plan.json.waiting")
    while not waiting.exists():
        shop.workshop.wait(job, "pending", "running")
    server.stop(signal.SIGKILL)
    assert rows(shop) == read([1, 2, 3])
    server.start()
    shop.workshop.wait(job)
    assert rows(shop) == read([1, 2, 3])
    plan(shop, [11, 12, 13])
    assert refreshed(shop, connection)["status"] == "succeeded"
    assert rows(shop) == read([11, 12, 13])
    with psycopg.connect(server.loader_url) as database:
        left = "select count(*) from pg_tables where schemaname = 'airbyte_internal'"
        assert database.execute(left).fetchone() == (0,)


def test_a_connection_that_ignores_changes_goes_on_where_the_source_cannot_list_its_streams(shop, tmp_path):
    plan(shop, [1])
    listing = tmp_path / "listing_fails"
    connection = connect(shop, discover=f"if os.path.exists({str(listing)!r}): fail('No list today.', 'system_error')")
    listing.touch()
    job = shop.workshop.sync(connection)
    assert job["status"] == "succeeded", job.get("failureReason")
    assert rows(shop) == read([1])
    assert "the known one is used: No list today." in shop.log(job)
