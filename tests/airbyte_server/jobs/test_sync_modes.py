"""Every sync mode through the API: two syncs of a source that changes in between, and what its tables hold then."""

import pytest

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": ["null", "integer"]},
        "region": {"type": ["null", "string"]},
        "moment": {"type": ["null", "integer"]},
        "details": {"type": ["null", "object"]},
    },
}
MODES = (
    "full_refresh_overwrite",
    "full_refresh_overwrite_deduped",
    "full_refresh_append",
    "incremental_append",
    "incremental_deduped_history",
)
FIRST = [(1, "eu", 1), (1, "us", 2), (1, "us", 3)]
SECOND = [*FIRST, (1, "eu", 4), (2, "eu", 5)]
NEWEST = [(1, "eu", 4), (1, "us", 3), (2, "eu", 5)]


def stream(name):
    """Neither a key nor a cursor of its own that would serve; the user chooses both."""
    return {
        "name": name,
        "json_schema": SCHEMA,
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_primary_key": [],
        "default_cursor_field": ["id"],
    }


def write(workshop, rows):
    for mode in MODES:
        workshop.write(mode, [dict(zip(("id", "region", "moment"), row, strict=True)) for row in rows])


def stored(workshop, mode):
    return sorted(workshop.rows(f"shop_{mode}", "id, region, moment"))


@pytest.fixture
def source(workshop):
    write(workshop, FIRST)
    return workshop.source(catalog=str(workshop.write_catalog(*map(stream, MODES))))


def test_each_mode_holds_what_it_promises_of_the_source(workshop, source):
    offered = workshop.client.get("/streams", params={"sourceId": source}).json()
    assert all(sorted(item["syncModes"]) == sorted(MODES) for item in offered)
    chosen = {"cursorField": ["moment"], "primaryKey": [["id"], ["region"]]}
    streams = [{"name": mode, "syncMode": mode, **chosen} for mode in MODES]
    connection = workshop.connect(source, configurations={"streams": streams})
    assert {item["name"]: item["syncMode"] for item in connection["configurations"]["streams"]} == {
        mode: mode for mode in MODES
    }
    jobs = [workshop.sync(connection)]
    write(workshop, SECOND)
    jobs.append(workshop.sync(connection))
    assert [job["status"] for job in jobs] == ["succeeded", "succeeded"], jobs
    assert stored(workshop, "full_refresh_overwrite") == sorted(SECOND)
    assert stored(workshop, "full_refresh_overwrite_deduped") == NEWEST
    assert stored(workshop, "full_refresh_append") == sorted(FIRST + SECOND)
    assert stored(workshop, "incremental_deduped_history") == NEWEST
    # The file source reads from the last cursor on, that row included, as Airbyte's sources do.
    assert stored(workshop, "incremental_append") == sorted([*SECOND, FIRST[-1]])
    syncs = workshop.rows(
        "shop_full_refresh_append", "distinct _airbyte_generation_id, (_airbyte_meta ->> 'sync_id')::int"
    )
    assert sorted(syncs) == [(1, jobs[0]["jobId"]), (2, jobs[1]["jobId"])]
    assert set(workshop.rows("shop_incremental_append", "_airbyte_generation_id")) == {(0,)}


def test_what_a_mode_lacks_is_refused(workshop, source):
    refused = [
        ({"syncMode": "full_refresh_overwrite_deduped"}, "needs a primaryKey"),
        ({"syncMode": "incremental_deduped_history", "primaryKey": [["details", "id"]]}, "not a top-level field"),
        ({"syncMode": "incremental_append", "cursorField": ["details", "at"]}, "not a top-level field"),
        ({"syncMode": "full_refresh_overwrite_deduped", "primaryKey": [["ghost"]]}, "no field 'ghost'"),
        ({"syncMode": "full_refresh_update"}, "does not run here"),
        ({"syncMode": "sideways"}, "full_refresh_overwrite"),
    ]
    for settings, sentence in refused:
        body = {
            "sourceId": source,
            "destinationId": workshop.destination_id,
            "configurations": {"streams": [{"name": MODES[0], **settings}]},
        }
        response = workshop.client.post("/connections", json=body)
        assert response.status_code == 422, response.text
        assert sentence in response.text
