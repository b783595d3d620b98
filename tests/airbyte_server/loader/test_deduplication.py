"""Deduplicated tables against a plain model of them."""

import pytest
from airbyte_server.errors import PermanentError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

keys = st.none() | st.integers(0, 4)
cursors = st.none() | st.integers(0, 3)
names = st.sampled_from(["a", "b", None])
rows = st.tuples(keys, names, cursors, st.integers(1, 4))
jobs = st.lists(st.lists(rows | st.just("state"), max_size=25), min_size=1, max_size=3)


def order(row):
    _, _, cursor, emitted = row
    return (cursor is not None, cursor or 0, emitted)


def apply(table, keyless, row):
    """The newest record of a key stays; of equals the later one."""
    key = row[0]
    if key is None:
        keyless.add(row[:3])
    elif key not in table or order(row) >= order(table[key]):
        table[key] = row


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(jobs=jobs, checkpoint_rows=st.sampled_from([1, 5, 1000]))
def test_the_newest_record_of_each_key_stays(warehouse, messages, jobs, checkpoint_rows):
    warehouse.query("drop table if exists tenant_acme.shop_items")
    table, keyless = {}, set()
    for number, job in enumerate(jobs):
        lines, sent = [], [row for row in job if row != "state"]
        known = len(keyless)
        for row in job:
            if row == "state":
                lines.append(messages.state("items", 1))
            else:
                apply(table, keyless, row)
                key, name, cursor, emitted = row
                lines.append(messages.record("items", {"id": key, "name": name, "updated": cursor}, emitted))
        outcome = warehouse.load(warehouse.deduped(), lines, checkpoint_rows=checkpoint_rows)["items"]
        expected = sorted([row[:3] for row in table.values()] + list(keyless), key=repr)
        assert warehouse.rows() == expected
        distinct = len({row[0] for row in sent if row[0] is not None}) + len(keyless) - known
        assert outcome.records_emitted == len(sent)
        if number == 0 or checkpoint_rows == 1000:
            assert outcome.duplicates == len(sent) - distinct


def test_every_record_is_a_row_or_a_duplicate(warehouse, messages):
    lines = [messages.record("items", {"id": n % 7, "updated": n}) for n in range(20)]
    outcome = warehouse.load(warehouse.deduped(), lines)["items"]
    assert (outcome.records_emitted, outcome.rows_written, outcome.duplicates) == (20, 7, 13)
    assert warehouse.rows() == [(n % 7, None, n) for n in sorted(range(13, 20), key=lambda n: n % 7)]


def test_a_state_is_handed_on_only_when_its_rows_can_be_read(warehouse, messages):
    seen = []

    def lines():
        for n in range(1, 7):
            yield messages.record("items", {"id": n, "updated": n})
            yield messages.state("items", n)

    def remember(state):
        seen.append((state["stream"]["stream_state"]["cursor"], warehouse.count("shop_items")))

    warehouse.load(warehouse.deduped(), lines(), checkpoint_rows=2, on_state=remember)
    assert seen == [(2, 2), (4, 4), (6, 6)]


def test_a_global_state_waits_for_all_streams_that_go_on_from_it(warehouse, messages):
    shared = b'{"type":"STATE","state":{"type":"GLOBAL","global":{"shared_state":{"n":1},"stream_states":[]}}}'
    targets = [warehouse.deduped("a"), warehouse.deduped("b"), warehouse.target("c")]
    done = []

    def lines():
        yield messages.record("a", {"id": 1})
        yield messages.record("b", {"id": 1})
        yield shared
        done.append(list(warehouse.states))
        yield messages.status("a", "COMPLETE")
        done.append(([state["type"] for state in warehouse.states], warehouse.count("shop_b")))
        for stream in ("b", "c"):
            yield messages.status(stream, "COMPLETE")

    warehouse.load(targets, lines())
    assert done == [[], (["GLOBAL"], 1)]


def test_indexes_are_on_key_cursor_and_extraction(warehouse, messages):
    target = warehouse.deduped(primary_key=[["id"], ["name"]])
    for _ in range(2):
        warehouse.load(target, [messages.record("items", {"id": 1, "name": "a"})])
    definitions = warehouse.query("select indexdef from pg_indexes where tablename = 'shop_items'")
    assert sorted(text.split("USING btree ")[1] for (text,) in definitions) == [
        "(_airbyte_extracted_at)",
        "(id, name)",
        "(updated)",
    ]


def test_a_cursor_that_the_records_lack_leaves_the_order_of_extraction(warehouse, messages):
    target = warehouse.deduped(cursor=["created_by_connector"])
    lines = [messages.record("items", {"id": 1, "name": name}, emitted) for name, emitted in [("b", 9), ("a", 3)]]
    warehouse.load(target, lines)
    assert warehouse.rows() == [(1, "b", None)]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"primary_key": []}, "has no primary key"),
        ({"primary_key": [["id", "value"]]}, "inside an object"),
        ({"primary_key": [["uuid"]]}, "not in its schema"),
    ],
    ids=["none", "nested", "undeclared"],
)
def test_a_key_that_cannot_work_is_refused(warehouse, settings, sentence):
    with pytest.raises(PermanentError, match=sentence) as failure:
        warehouse.loader(warehouse.deduped(**settings))
    assert "stream='items'" in str(failure.value)


def test_a_key_too_long_for_an_index_is_refused_by_name(warehouse, messages):
    import random

    noise = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=9000))
    with pytest.raises(PermanentError, match="too long for an index"):
        warehouse.load(warehouse.deduped(primary_key=[["name"]]), [messages.record("items", {"name": noise})])
    assert warehouse.states == []
    assert warehouse.temporary_tables() == []
