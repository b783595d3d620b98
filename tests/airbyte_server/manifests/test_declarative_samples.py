"""A sample of a declarative source asks its API for no more than the budget needs."""

import pytest


@pytest.fixture
def sample(server, workshop):
    """Takes a sample and waits for its end; records and cuts by stream."""
    with server.client("/api/embedded/v1") as embedded:

        def take(source_id, **budget):
            body = {"sourceId": source_id, "destinationId": workshop.destination_id, "schema": workshop.namespace}
            started = embedded.post("/samples", json={**body, "prefix": "shop_", **budget})
            assert started.status_code == 200, started.text
            workshop.wait(started.json())
            job = embedded.get(f"/jobs/{started.json()['jobId']}").json()
            assert job["status"] == "succeeded", job
            return {each["streamName"]: (each["recordsCommitted"], each["cut"]) for each in job["streams"]}

        yield take


def test_a_stream_is_left_at_its_records_and_one_that_hangs_at_its_seconds(
    workshop, api, make_source, manifest, configuration, sample
):
    customers = manifest["definitions"]["customers"]
    manifest["streams"].append({**customers, "name": "slow", "retriever": {**customers["retriever"]}})
    manifest["streams"][-1]["retriever"]["requester"] = {"$ref": "#/definitions/requester", "path": "/slow"}
    source = make_source(manifest, configuration)["sourceId"]
    api.orders = [{**api.orders[0], "id": number} for number in range(20_000)]
    api.requests.clear()

    found = sample(source, recordsPerStream=5, streams=["orders", "customers", "notes"])
    assert found == {"orders": (5, True), "customers": (3, False), "notes": (5, True)}
    assert len(workshop.rows("shop_orders")) == 5
    assert 0 < len(api.asked("/orders")) < 200, "two hundred pages hold all orders"

    assert sample(source, seconds=12, streams=["slow", "customers"]) == {"slow": (0, True), "customers": (3, False)}
    assert workshop.rows("shop_slow") == []
