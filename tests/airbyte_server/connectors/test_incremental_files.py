"""Incremental reads: nothing is missed, and a read that was cut goes on where it was."""

import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def write(folder, cursors, start=0):
    path = folder / "items.jsonl"
    with path.open("a", encoding="utf-8") as lines:
        lines.writelines(json.dumps({"id": n, "updated": value}) + "\n" for n, value in enumerate(cursors, start))
    return path


@pytest.mark.parametrize(
    ("first", "then", "again"),
    [
        ([100, 300, 200], [250, 300, 400], [1, 4, 5]),
        ([1.5, 2.5, None], [2.25, 2.5, 9], [1, 2, 4, 5]),
        (
            ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00+02:00"],
            ["2024-01-01T21:00:00Z", "2024-01-02T00:00:00+01:00"],
            [1, 3],
        ),
        (["2024-01-01", "2024-03-01"], ["2024-02-01", "2024-03-01"], [1, 3]),
        (["1700000000", "1700000001"], ["999", "1700000002"], [1, 3]),
        (["b", "c"], ["a", "d", 5], [1, 3, 4]),
    ],
    ids=["epoch", "number", "moment", "date", "number-as-text", "text"],
)
def test_records_at_or_after_the_cursor_are_read_again(connector, folder, catalog_file, first, then, again):
    config = {"path": str(folder), "catalog": str(catalog_file)}
    write(folder, first)
    run = connector.read("incremental", **config)
    assert [record["id"] for record in run.data] == list(range(len(first)))
    write(folder, then, len(first))
    second = connector.read("incremental", run.states[-1:], **config)
    assert [record["id"] for record in second.data] == again


def test_only_declared_cursors_that_the_records_carry_make_a_stream_incremental(connector, folder, catalog_file):
    config = {"path": str(folder), "catalog": str(catalog_file)}
    write(folder, [None, 3])
    stream = connector.discover(**config)["items"]
    assert stream["supported_sync_modes"] == ["full_refresh", "incremental"]
    assert (stream["default_cursor_field"], stream["source_defined_cursor"]) == (["updated"], True)
    (folder / "items.jsonl").write_text('{"id": 1}\n')
    stream = connector.discover(**config)["items"]
    assert stream["supported_sync_modes"] == ["full_refresh"]
    assert stream["source_defined_primary_key"] == [["id"]]
    assert "without_a_file" not in connector.discover(**config)


def test_records_without_the_cursor_are_always_read(connector, folder, catalog_file):
    config = {"path": str(folder), "catalog": str(catalog_file)}
    write(folder, [5, None, None])
    run = connector.read("incremental", **config)
    assert [record["id"] for record in connector.read("incremental", run.states, **config).data] == [0, 1, 2]


def test_states_come_along_the_way_and_promise_no_more_than_was_read(connector, folder, catalog_file):
    config = {"path": str(folder), "catalog": str(catalog_file)}
    cursors = list(range(25_000))
    random.Random(5).shuffle(cursors)
    write(folder, cursors)
    run = connector.read("incremental", **config)
    described = [state["stream"]["stream_state"] for state in run.states]
    assert [state["cursor"] for state in described] == [None, None, 24_999]
    assert [state["read"]["position"] for state in described[:2]] == [10_000, 20_000]
    resumed = connector.read("incremental", run.states[1:2], **config)
    assert [record["id"] for record in resumed.data] == list(range(20_000, 25_000))
    assert resumed.states[-1]["stream"]["stream_state"] == {"cursor_field": "updated", "cursor": 24_999}
    write(folder, [7], 25_000)
    assert len(connector.read("incremental", run.states[1:2], **config).data) == 25_001


rows = st.lists(st.none() | st.integers(0, 20) | st.floats(0, 20) | st.dates().map(str), max_size=12)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=rows, newer=st.lists(st.integers(21, 30), max_size=5))
def test_what_is_newer_is_never_missed(connector, folder, catalog_file, first, newer):
    (folder / "items.jsonl").unlink(missing_ok=True)
    config = {"path": str(folder), "catalog": str(catalog_file)}
    write(folder, [20, *first])
    states = connector.read("incremental", **config).states
    write(folder, newer, len(first) + 1)
    read = {record["id"] for record in connector.read("incremental", states, **config).data}
    assert set(range(len(first) + 1, len(first) + 1 + len(newer))) <= read


def test_another_cursor_begins_anew(connector, folder, catalog_file):
    write(folder, [100, 101, 102])
    config = {"path": str(folder), "catalog": str(catalog_file)}
    states = connector.read("incremental", **config).states
    configured = connector.configured("incremental", **config)
    configured["streams"][0]["cursor_field"] = ["id"]
    assert [record["id"] for record in connector.run("read", config, configured, states).data] == [0, 1, 2]
