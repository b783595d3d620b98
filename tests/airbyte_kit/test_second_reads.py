"""What a state must say of what was read."""

import json
from typing import Any

import pytest
from airbyte_kit.running.run import Run
from airbyte_kit.steps.increments import judge_second_read

STREAM = {"name": "orders", "source_defined_primary_key": [["id"]], "default_cursor_field": ["at"]}
ROWS = [{"id": 1, "at": "2026-09-01T10:00:00Z"}, {"id": 2, "at": "2026-09-03T10:00:00Z"}]


def run(rows: list[dict[str, Any]], state: Any = None) -> Run:
    descriptor = {"name": "orders"}
    status = {"stream_descriptor": descriptor, "status": "COMPLETE"}
    messages: list[dict[str, Any]] = [{"type": "RECORD", "record": {"stream": "orders", "data": row}} for row in rows]
    if state is not None:
        stream = {"stream_descriptor": descriptor, "stream_state": state}
        messages.append({"type": "STATE", "state": {"type": "STREAM", "stream": stream}})
    messages.append({"type": "TRACE", "trace": {"type": "STREAM_STATUS", "stream_status": status}})
    return Run(0, [json.dumps(message).encode() for message in messages])


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (None, "It emits no state"),
        ({"at": "2026-09-01T10:00:00Z"}, "The state does not move: it is at 2026-09-01T10:00:00Z"),
        ({"states": [{"partition": {"at": "x"}, "cursor": {"at": "2026-09-02"}}]}, "The state does not move"),
        ({"other": 1}, "Its state has no at"),
    ],
)
def test_a_state_that_is_behind_is_told(state, says):
    found = judge_second_read(STREAM, run(ROWS, state), run([]), 0)
    assert found.outcome == "failed" and found.reason.startswith(says), found.reason


@pytest.mark.parametrize(
    "state",
    [
        {"at": "2026-09-03T10:00:00Z"},
        {"at": "2026-09-03"},
        {"at": "20260903"},
        {"at": "1788429600"},
        {"at": 1788429600000},
        {
            "use_global_cursor": True,
            "state": {"at": "2026-09-03T10:00:00.000000+00:00"},
            "parent_state": {"at": "2020"},
        },
    ],
    ids=str,
)
def test_a_state_at_the_newest_record_is_right_in_any_form(state):
    found = judge_second_read(STREAM, run(ROWS, state), run(ROWS[1:]), 0)
    assert (found.outcome, found.reason) == ("ok", "1 of 2 records again, at the boundary")


def test_what_comes_again_must_be_at_the_boundary_and_known():
    first = run(ROWS, {"at": "2026-09-03T10:00:00Z"})
    assert "come again" in judge_second_read(STREAM, first, run(ROWS), 0).reason
    assert judge_second_read(STREAM, first, run(ROWS), 3 * 86_400).outcome == "ok"
    late = {"id": 9, "at": "2026-09-03T10:00:00Z"}
    assert "were not there before" in judge_second_read(STREAM, first, run([late]), 0).reason
    old = judge_second_read(STREAM, first, run(ROWS[:1]), 0)
    assert old.reason == "1 records come that are older than the state, such as one of 2026-09-01T10:00:00Z."
