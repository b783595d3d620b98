"""Samples: what the budget allows of each stream, as a job, in tables like those of a sync."""

import os
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from airbyte_server.jobs import store as job_store
from airbyte_server.state.storage import Storage
from sqlalchemy import text

ORDERS = {
    "name": "orders",
    "json_schema": {"properties": {"id": {"type": "integer"}, "updated_at": {"type": "string", "format": "date-time"}}},
    "supported_sync_modes": ["full_refresh", "incremental"],
    "source_defined_primary_key": [["id"]],
    "default_cursor_field": ["updated_at"],
}
FLAT = {"json_schema": {"properties": {"id": {"type": "integer"}, "note": {"type": "string"}}}}
BOM = b"\xef\xbb\xbf"
"""With it the source `file` does not seek, so that a pipe can stand for a file."""


@pytest.fixture
def embedded(server):
    with server.client("/api/embedded/v1") as client:
        yield client


@pytest.fixture
def shop(workshop, embedded):
    """Ten orders with a key and a cursor, and five visits; `sample` starts a sample of a source."""
    workshop.write("orders", [{"id": n, "updated_at": f"2026-01-{n:02d}T00:00:00Z"} for n in range(1, 11)])
    workshop.write("visits", [{"page": f"/{n}"} for n in range(5)])

    def sample(source_id, **changes):
        body = {
            "sourceId": source_id,
            "destinationId": workshop.destination_id,
            "schema": f"{workshop.namespace}_sample",
            "prefix": "shop_",
            **changes,
        }
        return embedded.post("/samples", json={name: value for name, value in body.items() if value is not None})

    def ended(response):
        assert response.status_code == 200, response.text
        workshop.wait(response.json())
        return embedded.get(f"/jobs/{response.json()['jobId']}").json()

    workshop.sample, workshop.ended = sample, ended
    return workshop


@contextmanager
def pipe(path, *lines):
    """A file that gives these lines, and then neither more nor its end."""
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.write(descriptor, b"".join(lines))
        yield str(path)
    finally:
        os.close(descriptor)


def piped(shop, names, *others):
    """A source of pipes, by their catalog's streams, and of files."""
    catalog = shop.write_catalog(*({"name": name, **FLAT} for name in names))
    paths = [str(shop.folder / f"{name}.jsonl") for name in (*names, *others)]
    return shop.source(path=paths, catalog=str(catalog))


def of(job, field):
    return {stream["streamName"]: stream[field] for stream in job["streams"]}


def count(shop, table):
    return fetch(shop, f'select count(*) from "{shop.namespace}_sample"."{table}"')[0][0]


def fetch(shop, query, *values):
    with psycopg.connect(shop.server.loader_url) as connection:
        return connection.execute(query, values or None).fetchall()


def layout(shop, schema):
    query = """
        select table_name, column_name, data_type, is_nullable from information_schema.columns
        where table_schema = %s and table_name like 'shop_%%' order by table_name, ordinal_position
    """
    return fetch(shop, query, schema)


def test_a_sample_holds_the_records_of_its_budget_in_the_layout_of_a_sync_and_keeps_no_state(shop, embedded):
    source = shop.source(catalog=str(shop.write_catalog(ORDERS)))
    started = shop.sample(source, recordsPerStream=7)
    assert started.json()["status"] in ("pending", "running")
    job = shop.ended(started)
    assert (job["status"], job["jobType"], job["rowsSynced"]) == ("succeeded", "sync", 12)
    assert of(job, "recordsEmitted") == of(job, "recordsCommitted") == {"orders": 7, "visits": 5}
    assert of(job, "cut") == {"orders": True, "visits": False}
    assert of(job, "status") == dict.fromkeys(("orders", "visits"), "complete")
    assert (count(shop, "shop_orders"), count(shop, "shop_visits")) == (7, 5)
    assert "Stream orders is cut: it has 7 records." in str(embedded.get(f"/jobs/{job['jobId']}/logs").json())

    connection = shop.connect(source)
    assert shop.sync(connection)["rowsSynced"] == 15, "nothing was kept that a sync would go on from"
    assert layout(shop, f"{shop.namespace}_sample") == layout(shop, shop.namespace) != []

    again = shop.ended(shop.sample(source, recordsPerStream=2, streams=["visits"]))
    assert (of(again, "recordsCommitted"), count(shop, "shop_visits")) == ({"visits": 2}, 2)


def test_samples_are_listed_by_themselves_and_hide_their_connection(shop, embedded):
    source = shop.source()
    job = shop.ended(shop.sample(source))
    params = {"workspaceIds": shop.workspace_id}
    listed = embedded.get("/samples", params={**params, "sourceId": source, "status": "succeeded"}).json()["data"]
    assert [each["jobId"] for each in listed] == [job["jobId"]]
    told = ("sourceId", "destinationId", "schema", "prefix", "recordsPerStream", "bytes", "seconds")
    assert [listed[0][name] for name in told] == [
        source, shop.destination_id, f"{shop.namespace}_sample", "shop_", 1000, 104857600, 300
    ]  # fmt: skip
    assert embedded.get("/samples", params={**params, "status": ["failed", "running"]}).json()["data"] == []
    assert shop.client.get("/jobs", params=params).json()["data"] == []
    assert shop.client.get("/jobs", params={"connectionId": job["connectionId"]}).json()["data"] != []
    assert shop.client.get("/connections", params=params).json()["data"] == []
    assert shop.client.get(f"/connections/{job['connectionId']}").status_code == 404
    assert shop.client.delete(f"/sources/{source}").status_code == 204
    assert embedded.get("/samples", params=params).json()["data"] == []


def test_what_was_sampled_once_is_forgotten_in_time(shop, server):
    job = shop.ended(shop.sample(shop.source()))
    storage = Storage(server.database_url)
    with storage.begin() as connection:
        query = text("select count(*) from airbyte.connections where connection_id = :id")
        mine = {"id": job["connectionId"]}
        job_store.prune_samples(connection, timedelta(days=1))
        assert connection.execute(query, mine).scalar_one() == 1
        job_store.prune_samples(connection, timedelta(0))
        assert connection.execute(query, mine).scalar_one() == 0
    storage.close()
    assert shop.client.get(f"/jobs/{job['jobId']}").status_code == 404


def test_a_removal_that_stopped_half_way_does_not_close_samples_for_ever(shop, server):
    source = shop.source()
    job = shop.ended(shop.sample(source))
    with psycopg.connect(server.database_url) as connection:
        closed = "update airbyte.connections set status = 'deprecated' where connection_id = %s"
        assert connection.execute(closed, (job["connectionId"],)).rowcount == 1
    assert shop.ended(shop.sample(source))["status"] == "succeeded"


def test_a_slow_and_a_silent_stream_leave_the_others_their_part_of_the_seconds(shop):
    lines = BOM, b'{"id": 1}\n{"id": 2}\n', b'{"id": 3}\n', b'{"id": 4, "no'
    with pipe(shop.folder / "a_slow.jsonl", *lines), pipe(shop.folder / "b_silent.jsonl"):
        job = shop.ended(shop.sample(piped(shop, ("a_slow", "b_silent"), "orders", "visits"), seconds=4))
    assert job["status"] == "succeeded", job
    assert of(job, "recordsCommitted") == {"a_slow": 3, "b_silent": 0, "orders": 10, "visits": 5}
    assert of(job, "cut") == {"a_slow": True, "b_silent": True, "orders": False, "visits": False}
    assert count(shop, "shop_b_silent") == 0


def test_the_bytes_are_shared_and_never_passed(shop):
    for name in ("a_fat", "b_fat"):
        shop.write(name, [{"id": n, "note": "x" * 1000} for n in range(100)])
    job = shop.ended(shop.sample(shop.source(), bytes=40_000))
    assert job["status"] == "succeeded", job
    sizes, cut = of(job, "bytesEmitted"), of(job, "cut")
    assert sum(sizes.values()) <= 40_000
    assert cut == {"a_fat": True, "b_fat": True, "orders": False, "visits": False}
    assert min(sizes["a_fat"], sizes["b_fat"]) > 9_000, "about a fourth, and a third of what that left"
    assert count(shop, "shop_b_fat") == of(job, "recordsCommitted")["b_fat"]


def test_one_sample_at_a_time_writes_a_table_and_no_connection_meanwhile(shop, embedded):
    with pipe(shop.folder / "held.jsonl", BOM):
        source = piped(shop, ("held",))
        running = shop.sample(source, seconds=600).json()
        shop.wait(running, "running")
        again = shop.sample(source)
        assert (again.status_code, f"job {running['jobId']}" in again.json()["detail"]) == (409, True)
        other = shop.source()
        into_sample = {"namespaceFormat": f"{shop.namespace}_sample", "prefix": "shop_"}
        taken = shop.client.post(
            "/connections",
            json={"sourceId": source, "destinationId": shop.destination_id, "namespaceDefinition": "custom_format",
                  **into_sample},
        )  # fmt: skip
        assert (taken.status_code, "Sample of shop" in taken.json()["detail"]) == (409, True)
        cancelled = shop.client.delete(f"/jobs/{running['jobId']}").json()
        assert cancelled["status"] == "cancelled"
        shop.connect(source, **into_sample)
    refused = shop.sample(source)
    assert (refused.status_code, "is written by connection" in refused.json()["detail"]) == (409, True)
    assert shop.ended(shop.sample(other))["status"] == "succeeded", "other tables of that schema are free"


def test_a_sample_takes_the_fields_that_a_connection_selects(shop):
    streams = [{"name": "orders", "syncMode": "incremental_deduped_history", "selectedFields": [{"fieldPath": ["id"]}]}]
    assert shop.ended(shop.sample(shop.source(), streams=streams))["status"] == "succeeded"
    columns = [column for _, column, _, _ in layout(shop, f"{shop.namespace}_sample")]
    assert [column for column in columns if not column.startswith("_airbyte")] == ["id"]


def test_a_connectors_failure_fails_the_sample_with_its_sentence(shop):
    source = piped(shop, ("orders",))
    with (shop.folder / "orders.jsonl").open("ab") as lines:
        lines.write(b'{"id": \n')
    assert shop.ended(shop.sample(source, recordsPerStream=10))["status"] == "succeeded", "the broken line is beyond"
    job = shop.ended(shop.sample(source))
    assert (job["status"], "orders" in job["failureReason"]) == ("failed", True)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"recordsPerStream": 0}, 422),
        ({"bytes": 0}, 422),
        ({"seconds": 0}, 422),
        ({"schema": " "}, 422),
        ({"schema": None}, 422),
        ({"streams": ["unknown"]}, 422),
        ({"streams": ["orders", "orders"]}, 422),
        ({"destinationId": "00000000-0000-0000-0000-000000000000"}, 404),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else str(value),
)
def test_a_sample_that_cannot_be_is_refused(shop, change, status):
    response = shop.sample(shop.source(), **change)
    assert (response.status_code, bool(response.json()["detail"])) == (status, True)


def test_a_sample_without_a_token_is_refused(shop, server):
    with server.client() as client:
        del client.headers["Authorization"]
        assert client.post(f"{server.root}/api/embedded/v1/samples", json={}).status_code == 401
