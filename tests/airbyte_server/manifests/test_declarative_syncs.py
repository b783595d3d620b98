import time

import pytest
from airbyte_server.connectors.process_tree import descendants


@pytest.fixture
def connection(workshop, make_source, manifest, configuration):
    source = make_source(manifest, configuration)
    chosen = [
        {"name": "orders", "syncMode": "incremental_deduped_history"},
        {"name": "notes", "syncMode": "full_refresh_overwrite"},
        {"name": "customers", "syncMode": "full_refresh_overwrite"},
    ]
    return workshop.connect(source["sourceId"], configurations={"streams": chosen})


def test_an_uploaded_manifest_is_read_into_tables_and_goes_on_from_its_state(workshop, api, connection, server):
    assert workshop.sync(connection)["rowsSynced"] == 250 + 6 + 3
    assert sorted(workshop.rows("shop_orders", "id, total::float8, updated::text")) == [
        (each["id"], each["total"], f"{each['updated'][:10]} 00:00:00+00") for each in api.orders
    ]
    assert sorted(workshop.rows("shop_notes", "id, text")) == [
        (note["id"], note["text"]) for notes in api.notes.values() for note in notes
    ]
    assert len(workshop.rows("shop_customers")) == 3
    first = [query.get("since") for query in api.asked("/orders")]
    assert first == ["2024-01-01T00:00:00Z"] * 3
    api.requests.clear()
    api.orders[240:] = [{**each, "total": -1.0} for each in api.orders[240:]]
    api.orders.append({"id": 250, "updated": "2024-03-26T00:00:00Z", "total": 7.0})
    assert workshop.sync(connection)["status"] == "succeeded"
    assert {query.get("since") for query in api.asked("/orders")} == {"2024-03-25T00:00:00Z"}
    rows = dict(workshop.rows("shop_orders", "id, total::float8"))
    assert rows == {each["id"]: each["total"] for each in api.orders}


def test_a_source_that_asks_for_patience_gets_it(workshop, api, make_source, manifest, configuration):
    manifest["definitions"]["requester"]["error_handler"] = {
        "type": "DefaultErrorHandler",
        "backoff_strategies": [{"type": "WaitTimeFromHeader", "header": "Retry-After"}],
    }
    source = make_source(manifest, configuration)
    connection = workshop.connect(source["sourceId"], configurations={"streams": [{"name": "customers"}]})
    api.troubles["/customers"] = [(429, {"Retry-After": "1"})]
    job = workshop.sync(connection)
    assert (job["status"], job["rowsSynced"]) == ("succeeded", 3)
    assert len(api.asked("/customers")) == 2


def test_a_refusal_of_the_api_fails_the_job_with_its_reason(workshop, api, connection):
    api.troubles["/orders"] = [(404, {})] * 10
    job = workshop.sync(connection)
    assert job["status"] == "failed"
    logs = workshop.client.get(f"{workshop.server.root}/api/embedded/v1/jobs/{job['jobId']}/logs").text
    assert "orders" in logs
    assert "404" in logs


def test_each_job_has_processes_of_its_own(workshop, api, make_source, manifest, configuration):
    manifest["definitions"]["customers"]["retriever"]["requester"]["path"] = "/slow"
    source = make_source(manifest, configuration)
    connection = workshop.connect(source["sourceId"], configurations={"streams": [{"name": "customers"}]})
    standing = set(descendants(workshop.server.process.pid))
    seen = []
    for _ in range(2):
        api.hold.clear()
        api.requests.clear()
        job = workshop.start(connection)
        deadline = time.monotonic() + 20
        while not api.asked("/slow"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        seen.append(set(descendants(workshop.server.process.pid)) - standing)
        api.hold.set()
        assert workshop.wait(job)["status"] == "succeeded"
    assert all(len(pids) >= 2 for pids in seen)
    assert seen[0].isdisjoint(seen[1])
    assert not [pid for pid in seen[1] if pid in descendants(workshop.server.process.pid)]


def test_an_empty_record_does_not_end_the_reading(workshop, api, make_source, manifest, configuration):
    api.customers = [{}, *api.customers, {}]
    for stream in (manifest["streams"][0], manifest["definitions"]["customers"]):
        del stream["primary_key"]
    source = make_source(manifest, configuration)
    streams = [{"name": name, "syncMode": "full_refresh_overwrite"} for name in ("customers", "orders")]
    connection = workshop.connect(source["sourceId"], configurations={"streams": streams})
    job = workshop.sync(connection)
    assert (job["status"], job["rowsSynced"]) == ("succeeded", 5 + 250)
