"""Appending modes: every record stays, none is there twice, and none is left out after a failure."""

import pytest
from airbyte_server.errors import PermanentError


class ConnectorFailedError(Exception):
    """What a server raises when its connector exits with an error."""


REFRESH, INCREMENTAL = "full_refresh_append", "incremental_append"


def target(warehouse, mode, stream="items", **more):
    return warehouse.target(stream, sync_mode=mode, **more)


def ids(warehouse, table="shop_items"):
    return [number for (number,) in warehouse.rows(table, "id")]


@pytest.mark.parametrize("mode", [REFRESH, INCREMENTAL])
def test_rows_of_every_job_stay_with_its_sync_and_generation(warehouse, messages, mode):
    source = []
    for number in (1, 2):
        records = [{"id": n, "name": "a", "updated": number} for n in (1, 1, 2)]
        source += [(*record.values(), number, number + 4) for record in records]
        lines = [messages.record("items", record) for record in records]
        outcome = warehouse.load(target(warehouse, mode, generation_id=number + 4), lines, sync_id=number)["items"]
        assert (outcome.records_emitted, outcome.rows_written, outcome.duplicates) == (3, 3, 0)
        assert outcome.complete
    columns = "id, name, updated, (_airbyte_meta ->> 'sync_id')::int, _airbyte_generation_id"
    assert warehouse.rows(columns=columns) == sorted(source, key=repr)
    assert len(set(warehouse.rows(columns="_airbyte_raw_id"))) == 6
    definitions = warehouse.query("select indexdef from pg_indexes where tablename = 'shop_items'")
    assert [text.split("USING btree ")[1] for (text,) in definitions] == ["(_airbyte_extracted_at)"]
    assert warehouse.temporary_tables() == []


def test_a_refresh_that_fails_adds_nothing(warehouse, messages):
    warehouse.load(target(warehouse, REFRESH), [messages.record("items", {"id": 1})])

    def lines():
        yield messages.record("items", {"id": 2})
        yield messages.state("items", 2)
        raise ConnectorFailedError

    with pytest.raises(ConnectorFailedError):
        warehouse.load(target(warehouse, REFRESH), lines(), checkpoint_rows=1)
    assert ids(warehouse) == [1]
    assert warehouse.states == []
    assert warehouse.temporary_tables() == []


def alternating(messages, first, other_first, fails_at=None):
    """Records of two streams in turn, from after where each was left, with states at different records."""
    sent = 0
    for n in range(1, 7):
        for stream, since, every in (("items", first, 2), ("other", other_first, 3)):
            if n <= since:
                continue
            sent += 1
            if sent == fails_at:
                raise ConnectorFailedError
            yield messages.record(stream, {"id": n})
            if n % every == 0:
                yield messages.state(stream, n)


@pytest.mark.parametrize("checkpoint_rows", [1, 1000])
def test_a_repeat_from_the_saved_state_makes_the_table_the_source(warehouse, messages, checkpoint_rows):
    targets = [target(warehouse, INCREMENTAL), target(warehouse, INCREMENTAL, "other")]
    for fails_at in (1, 2, 4, 7, 8, 12):
        warehouse.query("drop table if exists tenant_acme.shop_items, tenant_acme.shop_other")
        warehouse.states.clear()
        with pytest.raises(ConnectorFailedError):
            warehouse.load(targets, alternating(messages, 0, 0, fails_at), checkpoint_rows=checkpoint_rows)
        saved = {"items": 0, "other": 0}
        for state in warehouse.states:
            described = state["stream"]
            saved[described["stream_descriptor"]["name"]] = described["stream_state"]["cursor"]
        for stream, cursor in saved.items():
            rows = ids(warehouse, f"shop_{stream}") if cursor else []
            assert rows == list(range(1, cursor + 1)), fails_at
        rest = alternating(messages, saved["items"], saved["other"])
        warehouse.load(targets, rest, checkpoint_rows=checkpoint_rows)
        assert ids(warehouse) == ids(warehouse, "shop_other") == [1, 2, 3, 4, 5, 6], fails_at


def test_rows_that_a_state_covers_are_there_when_it_is_handed_on(warehouse, messages):
    seen = []

    def lines():
        for n in range(1, 5):
            yield messages.record("items", {"id": n})
            yield messages.state("items", n)

    def remember(state):
        seen.append((state["stream"]["stream_state"]["cursor"], warehouse.count("shop_items")))

    warehouse.load(target(warehouse, INCREMENTAL), lines(), checkpoint_rows=2, on_state=remember)
    assert seen == [(2, 2), (4, 4)]


def test_a_stream_without_records_makes_an_empty_table_and_keeps_a_full_one(warehouse, messages):
    for mode in (REFRESH, INCREMENTAL):
        one = target(warehouse, mode, mode)
        for records, expected in (([], []), ([{"id": 1}], [1]), ([], [1])):
            warehouse.load(one, [messages.record(mode, data) for data in records])
            assert ids(warehouse, f"shop_{mode}") == expected


def test_a_new_column_is_added_and_older_rows_have_none(warehouse, messages):
    warehouse.load(target(warehouse, INCREMENTAL), [messages.record("items", {"id": 1})])
    schema = {"properties": {"id": {"type": "integer"}, "city": {"type": "string"}}}
    lines = [messages.record("items", {"id": 2, "city": "Rome"})]
    warehouse.load(target(warehouse, INCREMENTAL, json_schema=schema), lines)
    assert warehouse.rows(columns="id, city") == [(1, None), (2, "Rome")]


def test_a_refresh_that_is_tried_again_is_there_once(warehouse, messages):
    """Its stream had come to its end, and the job had not."""
    both = [target(warehouse, REFRESH, generation_id=4), warehouse.target("other")]
    warehouse.load(both[:1], [messages.record("items", {"id": 1})], sync_id=7)
    lines = [messages.record("items", {"id": 2}), messages.status("items", "COMPLETE"), b"broken"]
    for attempt in range(3):
        both[0] = target(warehouse, REFRESH, generation_id=5 + attempt)
        with pytest.raises(PermanentError):
            warehouse.load(both, lines, sync_id=8, repeats=attempt)
        assert ids(warehouse) == [1, 2]
    warehouse.load(target(warehouse, REFRESH, generation_id=8), [], sync_id=8, repeats=3)
    assert ids(warehouse) == [1]
    warehouse.load(target(warehouse, REFRESH, generation_id=9), [messages.record("items", {"id": 3})], sync_id=9)
    assert ids(warehouse) == [1, 3]
