"""Targets that refresh: the new rows take the place of the old ones at the end, in modes that would keep them."""

import pytest
from airbyte_server.errors import RetryableError

MODES = ("incremental_append", "incremental_deduped_history")


def target(warehouse, mode, **more):
    return warehouse.deduped(sync_mode=mode, **more)


def seeded(warehouse, messages, mode):
    """Two rows of generation 1."""
    lines = [messages.record("items", {"id": number, "name": "old", "updated": 9}) for number in (1, 2)]
    warehouse.load(target(warehouse, mode, generation_id=1), [*lines, messages.state("items", 9)])


def generations(warehouse):
    return warehouse.rows(columns="id, _airbyte_generation_id")


@pytest.mark.parametrize("mode", MODES)
def test_only_what_was_read_now_is_left(warehouse, messages, mode):
    seeded(warehouse, messages, mode)
    old = warehouse.rows(columns="_airbyte_raw_id")
    new = [messages.record("items", {"id": number, "name": "new", "updated": 1}) for number in (2, 3)]
    outcome = warehouse.load(target(warehouse, mode, generation_id=2, refreshes=True), new)["items"]
    assert generations(warehouse) == [(2, 2), (3, 2)]
    assert (outcome.records_emitted, outcome.rows_written, outcome.complete) == (2, 2, True)
    assert not set(warehouse.rows(columns="_airbyte_raw_id")) & set(old)
    assert warehouse.temporary_tables() == []


def test_a_refresh_keeps_one_row_per_key_and_the_next_sync_merges_into_it(warehouse, messages):
    mode = MODES[1]
    seeded(warehouse, messages, mode)
    new = [messages.record("items", {"id": 1, "name": name, "updated": at}) for name, at in (("a", 1), ("b", 2))]
    outcome = warehouse.load(target(warehouse, mode, generation_id=2, refreshes=True), new)["items"]
    assert (outcome.rows_written, outcome.duplicates) == (1, 1)
    warehouse.load(target(warehouse, mode, generation_id=2), [messages.record("items", {"id": 1, "updated": 3})])
    assert warehouse.rows() == [(1, None, 3)]
    indexed = warehouse.query("select indexdef from pg_indexes where tablename = 'shop_items'")
    assert {definition.partition("btree ")[2] for (definition,) in indexed} == {
        "(id)",
        "(updated)",
        "(_airbyte_extracted_at)",
    }


@pytest.mark.parametrize("mode", MODES)
def test_a_refresh_that_stops_half_way_changes_nothing(warehouse, messages, mode):
    seeded(warehouse, messages, mode)
    warehouse.states.clear()
    lines = [
        messages.record("items", {"id": 3, "name": "new", "updated": 1}),
        messages.state("items", 1),
        messages.status("items", "INCOMPLETE"),
    ]
    with pytest.raises(RetryableError):
        warehouse.load(target(warehouse, mode, generation_id=2, refreshes=True), lines)
    assert generations(warehouse) == [(1, 1), (2, 1)]
    assert warehouse.states == []
    assert warehouse.temporary_tables() == []


def test_modes_that_read_everything_anyway_are_as_they_were(warehouse, messages):
    lines = [messages.record("items", {"id": 1})]
    for generation in (1, 2):
        warehouse.load(
            warehouse.target(sync_mode="full_refresh_append", refreshes=True, generation_id=generation), lines
        )
    assert generations(warehouse) == [(1, 1), (1, 2)]


def test_a_record_that_the_mapper_leaves_out_is_counted_and_not_stored(warehouse, messages):
    def even(data):
        return None if data["id"] % 2 else {**data, "name": "even"}

    lines = [messages.record("items", {"id": number}) for number in range(5)]
    outcome = warehouse.load(warehouse.target(mapper=even), lines)["items"]
    assert (outcome.records_emitted, outcome.rows_written, outcome.rows_filtered) == (5, 3, 2)
    assert warehouse.rows() == [(0, "even", None), (2, "even", None), (4, "even", None)]
