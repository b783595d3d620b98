import psycopg
import pytest
from airbyte_api import AirbyteAPI, models

ORDERS = {
    "name": "orders",
    "json_schema": {
        "type": "object",
        "properties": {
            "id": {"type": ["null", "integer"]},
            "updated_at": {"type": ["null", "string"], "format": "date-time"},
            "total": {"type": ["null", "number"]},
        },
    },
    "supported_sync_modes": ["full_refresh", "incremental"],
    "source_defined_primary_key": [["id"]],
    "default_cursor_field": ["updated_at"],
}


def order(number, day, total=1.5):
    return {"id": number, "updated_at": f"2026-01-{day:02d}T00:00:00Z", "total": total}


@pytest.fixture
def shop(workshop):
    """Orders with a key and a cursor, visits with neither."""
    workshop.write("orders", [order(n, n) for n in range(1, 11)])
    workshop.write("visits", [{"page": f"/{n}"} for n in range(5)])
    workshop.catalog = str(workshop.write_catalog(ORDERS))
    return workshop


def connect(shop):
    return shop.connect(shop.source(catalog=shop.catalog))


def attempt(shop, job):
    with shop.server.client("/api/v1") as client:
        attempts = client.post("/jobs/get", json={"id": job["jobId"]}).json()["attempts"]
    assert len(attempts) == 1
    return attempts[0]["attempt"]


def stats(shop, job):
    return {stream["streamName"]: stream["stats"] for stream in attempt(shop, job)["streamStats"]}


def states(shop, connection):
    """Stream → its state, which is beside its table, and its generation."""
    with psycopg.connect(shop.server.database_url) as database:
        query = "select stream, generation_id from airbyte.stream_states where connection_id = %s"
        generations = dict(database.execute(query, [connection["connectionId"]]).fetchall())
    kept = dict(shop.rows("_airbyte_states", "stream, state"))
    return {stream: (kept.get(stream), generation) for stream, generation in generations.items()}


def test_a_sync_loads_every_stream_and_counts_it(shop):
    connection = connect(shop)
    started = shop.start(connection)
    assert started["status"] in ("pending", "running")
    job = shop.wait(started)
    assert job["status"] == "succeeded", job
    assert job["jobType"] == "sync"
    assert job["rowsSynced"] == 15
    assert job["bytesSynced"] > 100
    assert job["duration"].startswith("PT")
    assert job["duration"].endswith("S")
    assert "failureReason" not in job
    assert len(shop.rows("shop_orders")) == 10
    assert len(shop.rows("shop_visits")) == 5
    assert {name: counts["recordsCommitted"] for name, counts in stats(shop, job).items()} == {
        "orders": 10,
        "visits": 5,
    }


def test_a_second_sync_reads_only_what_is_new_and_keeps_one_row_per_key(shop):
    connection = connect(shop)
    shop.sync(connection)
    shop.write("orders", [order(n, n) for n in range(1, 10)] + [order(10, 20, total=9), order(11, 21)])
    job = shop.sync(connection)
    assert job["status"] == "succeeded", job
    assert 2 <= stats(shop, job)["orders"]["recordsEmitted"] < 11
    assert len(shop.rows("shop_orders")) == 11
    assert dict(shop.rows("shop_orders", "id, total"))[10] == 9


def test_a_full_refresh_begins_a_new_generation_and_keeps_no_state(shop):
    connection = connect(shop)
    for generation in (1, 2):
        assert shop.sync(connection)["status"] == "succeeded"
        assert states(shop, connection)["visits"] == (None, generation)
        assert {row[0] for row in shop.rows("shop_visits", "_airbyte_generation_id")} == {generation}
    state, generation = states(shop, connection)["orders"]
    assert state["stream"]["stream_descriptor"]["name"] == "orders"
    assert generation == 0


def test_a_cursor_of_many_digits_is_kept(workshop):
    properties = {"id": {"type": "integer"}, "moment": {"type": "number"}}
    ticks = {**ORDERS, "name": "ticks", "json_schema": {"properties": properties}, "default_cursor_field": ["moment"]}
    (workshop.folder / "ticks.jsonl").write_bytes(b'{"id": 1, "moment": 12345678901234567890}\n')
    connection = workshop.connect(workshop.source(catalog=str(workshop.write_catalog(ticks))))
    assert workshop.sync(connection)["status"] == "succeeded"
    ((state,),) = workshop.rows("_airbyte_states", "state::text")
    assert "12345678901234567890" in state
    assert workshop.sync(connection)["status"] == "succeeded"
    assert len(workshop.rows("shop_ticks")) == 1


def test_a_patch_keeps_the_state(shop):
    connection = connect(shop)
    shop.sync(connection)
    before = states(shop, connection)
    shop.client.patch(f"/connections/{connection['connectionId']}", json={"name": "renamed", **connection})
    assert states(shop, connection) == before
    assert stats(shop, shop.sync(connection)).get("orders", {}).get("recordsEmitted", 0) < 10


def test_a_new_column_of_the_source_appears_where_columns_are_propagated(shop):
    connection = connect(shop)
    shop.sync(connection)
    shop.write("visits", [{"page": "/", "seconds": 3}])
    assert shop.sync(connection)["status"] == "succeeded"
    assert shop.rows("shop_visits", "page, seconds") == [("/", 3)]


def test_only_selected_fields_are_stored(shop):
    streams = [{"name": "orders", "syncMode": "full_refresh_overwrite", "selectedFields": [{"fieldPath": ["id"]}]}]
    connection = shop.connect(shop.source(catalog=shop.catalog), configurations={"streams": streams})
    assert shop.sync(connection)["status"] == "succeeded"
    with pytest.raises(psycopg.errors.UndefinedColumn):
        shop.rows("shop_orders", "total")


def test_the_sdk_starts_watches_and_lists_jobs(shop):
    token = shop.client.headers["Authorization"].removeprefix("Bearer ")
    api = AirbyteAPI(server_url=shop.server.url, security=models.Security(bearer_auth=token))
    connection = connect(shop)
    request = models.JobCreateRequest(connection_id=connection["connectionId"], job_type=models.JobTypeEnum.SYNC)
    job = api.jobs.create_job(request=request).job_response
    shop.wait({"jobId": job.job_id})
    found = api.jobs.get_job(request={"job_id": job.job_id}).job_response
    assert found.status == models.JobStatusEnum.SUCCEEDED
    assert found.rows_synced == 15
    listed = api.jobs.list_jobs(request={"workspace_ids": [shop.workspace_id], "status": "succeeded"})
    assert [item.job_id for item in listed.jobs_response.data] == [job.job_id]


def test_jobs_are_filtered_and_paged_newest_first(shop):
    connection = connect(shop)
    ids = [shop.sync(connection)["jobId"] for _ in range(3)]
    query = {"connectionId": connection["connectionId"], "limit": 2}
    page = shop.client.get("/jobs", params=query).json()
    following = shop.client.get(page["next"]).json()
    assert [job["jobId"] for job in page["data"] + following["data"]] == ids[::-1]
    assert following["next"] == ""
    oldest_first = shop.client.get("/jobs", params={**query, "orderBy": "createdAt|ASC"}).json()
    assert [job["jobId"] for job in oldest_first["data"]] == ids[:2]
    for nothing in ({"status": "failed"}, {"jobType": "reset"}, {"createdAtStart": "2999-01-01T00:00:00Z"}):
        assert shop.client.get("/jobs", params={**query, **nothing}).json()["data"] == []


@pytest.mark.parametrize("connector", ["stripe", "github"])
def test_every_real_record_is_a_row_or_a_counted_duplicate(workshop, shared, connector):
    folder = shared / "records" / connector
    source = workshop.source(path=str(folder), catalog=str(shared / "catalogs" / f"{connector}.json"))
    connection = workshop.connect(source, prefix=f"{connector}_")
    job = workshop.sync(connection)
    assert job["status"] == "succeeded", job
    modes = {stream["name"]: stream["syncMode"] for stream in connection["configurations"]["streams"]}
    lines = {path.stem: len(path.read_text().splitlines()) for path in folder.glob("*.jsonl")}
    counted = stats(workshop, job)
    assert set(lines) == set(modes) == set(counted)
    for stream, counts in counted.items():
        rows = workshop.rows(f"{connector}_{stream}", "count(*)")[0][0]
        assert counts["recordsEmitted"] == counts["recordsCommitted"] == lines[stream], stream
        assert rows == counts["rowsWritten"] == lines[stream] - counts["duplicates"], stream
        assert counts["duplicates"] == 0 or modes[stream] == "incremental_deduped_history"
