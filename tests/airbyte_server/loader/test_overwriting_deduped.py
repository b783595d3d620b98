"""full_refresh_overwrite_deduped: the source as it is now, one row per key."""

import pytest
from airbyte_server.errors import PermanentError


def target(warehouse, **more):
    return warehouse.deduped(sync_mode="full_refresh_overwrite_deduped", **more)


def test_the_newest_record_of_each_key_replaces_all_rows(warehouse, messages):
    warehouse.load(target(warehouse), [messages.record("items", {"id": 99, "name": "gone"})])
    records = [
        ({"id": 1, "name": "old", "updated": 1}, 5),
        ({"id": 1, "name": "new", "updated": 2}, 4),
        ({"id": 1, "name": "no cursor", "updated": None}, 9),
        ({"id": 2, "name": "first", "updated": 1}, 4),
        ({"id": 2, "name": "later", "updated": 1}, 4),
        ({"id": None, "name": "keyless", "updated": 1}, 4),
        ({"id": None, "name": "keyless", "updated": 1}, 5),
        ({"id": None, "name": "another", "updated": 1}, 5),
    ]
    lines = [messages.record("items", data, emitted) for data, emitted in records]
    outcome = warehouse.load(target(warehouse, generation_id=7), lines)["items"]
    assert warehouse.rows() == [(1, "new", 2), (2, "later", 1), (None, "another", 1), (None, "keyless", 1)]
    assert (outcome.records_emitted, outcome.rows_written, outcome.duplicates) == (8, 4, 4)
    assert set(warehouse.rows(columns="_airbyte_generation_id")) == {(7,)}
    assert warehouse.temporary_tables() == []


def test_a_key_of_two_fields_and_no_cursor_keeps_the_latest_extraction(warehouse, messages):
    records = [({"id": 1, "name": "a", "updated": 9}, 1), ({"id": 1, "name": "a", "updated": 3}, 2),
               ({"id": 1, "name": "b", "updated": 4}, 1)]  # fmt: skip
    lines = [messages.record("items", data, emitted) for data, emitted in records]
    warehouse.load(target(warehouse, primary_key=[["id"], ["name"]], cursor=[]), lines)
    assert warehouse.rows() == [(1, "a", 3), (1, "b", 4)]
    definitions = warehouse.query("select indexdef from pg_indexes where tablename = 'shop_items'")
    assert sorted(text.split("USING btree ")[1] for (text,) in definitions) == ["(_airbyte_extracted_at)", "(id, name)"]


def test_a_stream_that_does_not_complete_leaves_the_old_rows(warehouse, messages):
    warehouse.load(target(warehouse), [messages.record("items", {"id": 1, "name": "old", "updated": 1})])
    with pytest.raises(PermanentError, match="Line 2"):
        warehouse.load(target(warehouse), [messages.record("items", {"id": 2}), b"not json\n"])
    assert warehouse.rows() == [(1, "old", 1)]


def test_without_a_key_it_is_refused(warehouse):
    with pytest.raises(PermanentError, match="has no primary key"):
        warehouse.loader(target(warehouse, primary_key=[]))
