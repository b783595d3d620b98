"""A source whose schema changes between two jobs: what the table, the streams and the connection say then."""

import pytest

BREAKING = "choose anew what is synced and make the connection active."


def stream(name, *fields, key=("id",), cursor=("at",)):
    types = {"id": "integer", "at": "integer"}
    return {
        "name": name,
        "json_schema": {
            "type": "object",
            "properties": {field: {"type": ["null", types.get(field, "string")]} for field in fields},
        },
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_primary_key": [[field] for field in key],
        "default_cursor_field": list(cursor),
    }


ORDERS = stream("orders", "id", "at", "note")
VISITS = stream("visits", "id", "at")
WIDER = stream("orders", "id", "at", "country")
REFUNDS = stream("refunds", "id", "at")


@pytest.fixture
def shop(workshop):
    """Orders and visits; `change` makes the source offer something else."""
    workshop.write("orders", [{"id": 1, "at": 1, "note": "x", "country": "NL"}])
    workshop.write("visits", [{"id": 1, "at": 1}])
    workshop.catalog = str(workshop.write_catalog(ORDERS, VISITS))
    workshop.source_id = workshop.source(catalog=workshop.catalog)
    return workshop


def change(shop):
    """Orders lose `note` and gain `country`, visits go, refunds come."""
    (shop.folder / "visits.jsonl").unlink()
    shop.write("refunds", [{"id": 9, "at": 1}])
    shop.write("orders", [{"id": 1, "at": 1, "country": "NL"}, {"id": 2, "at": 2, "country": "BE"}])
    shop.write_catalog(WIDER, REFUNDS)


def synced(shop, behaviour, **more):
    connection = shop.connect(shop.source_id, nonBreakingSchemaUpdatesBehavior=behaviour, **more)
    succeeded(shop.sync(connection))
    return connection


def succeeded(job):
    assert job["status"] == "succeeded", job.get("failureReason")


def read(shop, connection):
    return shop.client.get(f"/connections/{connection['connectionId']}").json()


def names(connection):
    return sorted(item["name"] for item in connection["configurations"]["streams"])


def columns(shop, table):
    rows = shop.rows(table, f'to_jsonb("{table}")')
    return sorted({name for (row,) in rows for name in row if not name.startswith("_airbyte")})


def log(shop, job):
    with shop.server.client("/api/embedded/v1") as client:
        return client.get(f"/jobs/{job['jobId']}/logs").text


def test_ignored_changes_stay_out_of_the_table_and_are_logged(shop):
    connection = synced(shop, "ignore")
    change(shop)
    job = shop.sync(connection)
    succeeded(job)
    assert columns(shop, "shop_orders") == ["at", "id", "note"]
    assert sorted(shop.rows("shop_orders", "id, note")) == [(1, None), (2, None)]
    assert len(shop.rows("shop_visits")) == 1
    assert read(shop, connection) == connection
    said = log(shop, job)
    for what in ("'country' of 'orders' is new", "no longer has stream 'visits'", "its schema does not name: country"):
        assert what in said, what


@pytest.mark.slow
def test_columns_come_and_go_while_streams_stay(shop):
    connection = synced(shop, "propagate_columns")
    change(shop)
    succeeded(shop.sync(connection))
    assert columns(shop, "shop_orders") == ["at", "country", "id"]
    assert sorted(shop.rows("shop_orders", "id, country")) == [(1, "NL"), (2, "BE")]
    assert names(read(shop, connection)) == ["orders", "visits"]
    assert len(shop.rows("shop_visits")) == 1
    shop.write("visits", [{"id": 1, "at": 1}, {"id": 2, "at": 2}])
    shop.write_catalog(WIDER, REFUNDS, VISITS)
    succeeded(shop.sync(connection))
    assert len(shop.rows("shop_visits")) == 2


def test_everything_follows_and_the_table_of_a_lost_stream_stays(shop):
    connection = synced(shop, "propagate_fully")
    change(shop)
    query = {"sourceId": shop.source_id, "ignoreCache": True}
    offered = {item["streamName"]: item for item in shop.client.get("/streams", params=query).json()}
    assert set(offered) == {"orders", "refunds"}
    assert sorted(offered["orders"]["propertyFields"]) == [["at"], ["country"], ["id"]]
    succeeded(shop.sync(connection))
    now = read(shop, connection)
    assert names(now) == ["orders", "refunds"]
    modes = {item["name"]: item["syncMode"] for item in now["configurations"]["streams"]}
    assert modes["refunds"] == "incremental_deduped_history"
    assert shop.rows("shop_refunds", "id") == [(9,)]
    assert shop.rows("shop_visits", "id") == [(1,)]
    assert columns(shop, "shop_orders") == ["at", "country", "id"]


def test_a_new_stream_whose_table_is_taken_fails_that_job_with_its_sentence(shop):
    elsewhere = shop.folder.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "refunds.jsonl").write_text('{"id": 8}')
    rival = shop.connect(shop.source(path=str(elsewhere)), name="rival")
    connection = synced(shop, "propagate_fully")
    change(shop)
    job = shop.sync(connection)
    assert job["status"] == "failed"
    assert f"Table {shop.namespace}.shop_refunds is written by connection 'rival'" in job["failureReason"]
    assert read(shop, connection) == connection
    assert shop.client.delete(f"/connections/{rival['connectionId']}").status_code == 204
    succeeded(shop.sync(connection))
    assert names(read(shop, connection)) == ["orders", "refunds"]


def test_any_change_pauses_a_connection_until_it_is_approved(shop):
    connection = synced(shop, "disable_connection")
    shop.write_catalog(WIDER, VISITS)
    job = shop.sync(connection)
    assert job["status"] == "failed"
    paused = read(shop, connection)
    assert paused == {**connection, "status": "inactive", "statusReason": paused["statusReason"]}
    assert "field 'country' of 'orders' is new; field 'note' of 'orders' is gone" in paused["statusReason"]
    assert job["failureReason"] == paused["statusReason"]
    body = {"connectionId": connection["connectionId"], "jobType": "sync"}
    assert shop.client.post("/jobs", json=body).status_code == 409
    path = f"/connections/{connection['connectionId']}"
    assert "statusReason" in shop.client.patch(path, json={"name": "renamed"}).json()
    approved = shop.client.patch(path, json={"status": "active"}).json()
    assert (approved["status"], approved.get("statusReason")) == ("active", None)
    succeeded(shop.sync(connection))
    assert columns(shop, "shop_orders") == ["at", "country", "id"]


def test_a_lost_key_pauses_the_connection_until_the_streams_are_chosen_anew(shop):
    connection = synced(shop, "ignore")
    shop.write_catalog(stream("orders", "at", "note", key=()), VISITS)
    job = shop.sync(connection)
    assert job["status"] == "failed"
    assert "stream 'orders' has lost its primary key id" in job["failureReason"]
    paused = read(shop, connection)
    assert (paused["status"], paused["statusReason"][-len(BREAKING) :]) == ("inactive", BREAKING)
    assert len(shop.rows("shop_orders")) == 1
    path = f"/connections/{connection['connectionId']}"
    refused = shop.client.patch(path, json={"status": "active"})
    assert (refused.status_code, "no field 'id'" in refused.json()["detail"]) == (422, True)
    chosen = {"streams": [{"name": "orders", "syncMode": "full_refresh_overwrite"}]}
    body = {"status": "active", "configurations": chosen}
    assert shop.client.patch(path, json=body).json()["status"] == "active"
    succeeded(shop.sync(connection))
    assert columns(shop, "shop_orders") == ["at", "note"]


@pytest.mark.slow
def test_a_selection_keeps_new_columns_out(shop):
    fields = [{"fieldPath": [name]} for name in ("id", "at", "note")]
    streams = [{"name": "orders", "syncMode": "incremental_deduped_history", "selectedFields": fields}]
    connection = synced(shop, "propagate_columns", configurations={"streams": streams})
    change(shop)
    succeeded(shop.sync(connection))
    assert columns(shop, "shop_orders") == ["at", "id"]
    assert read(shop, connection)["configurations"]["streams"][0]["selectedFields"] == fields[:2]


@pytest.mark.slow
def test_a_source_that_has_nothing_left_fails_the_job(shop):
    connection = synced(shop, "propagate_columns", configurations={"streams": [{"name": "visits"}]})
    change(shop)
    job = shop.sync(connection)
    assert (job["status"], job["failureReason"]) == (
        "failed",
        "The source has none of the connection's streams any more; choose others.",
    )
    assert len(shop.rows("shop_visits")) == 1
