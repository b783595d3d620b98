"""Whether a second read gives only what is new: the state moves, and nothing but the boundary comes again."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from airbyte_kit.findings import Finding, judged
from airbyte_kit.replay.exchanges import JsonObject
from airbyte_kit.running.run import Run
from airbyte_kit.steps.records import at, key_of

Moment = float | str
_COMPACT_DAY = re.compile(r"(19|20)\d{6}")
_MILLISECONDS = 1e11
_DAY, _MINUTE = 86_400, 60


def judge_second_read(stream: JsonObject, first: Run, second: Run, lookback: float) -> Finding:
    """The API has nothing new: what comes again is at the cursor of the state, and was read before."""
    name = stream["name"]
    old, new = first.rows_by_stream.get(name, []), second.rows_by_stream.get(name, [])
    problems = [*_unmoved(stream, first), *_unfinished(name, second)]
    if old and len(new) >= len(old) and not _at_boundary(stream, first, old, lookback):
        problems.append(f"All {len(old)} records come again: the cursor does not reach the request.")
    problems += _before(stream, first, new, lookback)
    keys = stream.get("source_defined_primary_key") or []
    unknown = {key_of(row, keys) for row in new} - {key_of(row, keys) for row in old}
    if unknown:
        problems.append(f"{len(unknown)} records that were not there before came of an API that has nothing new.")
    again = f"{len(new)} of {len(old)} records again, at the boundary" if new else "no record again"
    return judged("incremental", problems, again, name)


def judge_later_day(stream: JsonObject, first: Run, later: Run, lookback: float) -> Finding:
    """A day has passed: no record comes that is older than the state."""
    name = stream["name"]
    new = later.rows_by_stream.get(name, [])
    problems = [*_unfinished(name, later), *_before(stream, first, new, lookback)]
    return judged("later_day", problems, f"{len(new)} records", name)


def moment(value: Any) -> Moment:
    """A cursor's value, to be compared: seconds since 1970 where it is a moment of any form."""
    if isinstance(value, str) and _COMPACT_DAY.fullmatch(value):
        value = f"{value[:4]}-{value[4:6]}-{value[6:]}"
    try:
        number = float(value)
        return number / 1000 if number > _MILLISECONDS else number
    except (TypeError, ValueError):
        pass
    try:
        read = datetime.fromisoformat(value)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError):
        return str(value)


def cursors_of(state: JsonObject | None, cursor_field: str) -> list[Moment]:
    """Every cursor of a stream's state: its own, or one for each partition."""
    return [moment(value) for value in _values(state or {}, cursor_field)]


def state_of(run: Run, stream: str) -> JsonObject | None:
    """The stream's last state."""
    for each in run.state:
        if each["stream"]["stream_descriptor"]["name"] == stream:
            found: JsonObject | None = each["stream"].get("stream_state")
            return found
    return None


def _values(node: Any, cursor_field: str) -> Iterator[Any]:
    if isinstance(node, list):
        for item in node:
            yield from _values(item, cursor_field)
    if not isinstance(node, dict):
        return
    for name, item in node.items():
        if name == cursor_field and not isinstance(item, dict | list):
            yield item
        elif name not in ("parent_state", "partition"):
            yield from _values(item, cursor_field)


def _unmoved(stream: JsonObject, run: Run) -> list[str]:
    """The state says how far was read: at the newest record, or beyond."""
    name, field = stream["name"], stream["default_cursor_field"]
    state = state_of(run, name)
    rows = run.rows_by_stream.get(name, [])
    if not state:
        return ["It emits no state: the next sync reads everything again."]
    cursors = cursors_of(state, field[-1])
    moments = [moment(value) for value in (at(row, field) for row in rows) if value is not None]
    if len(moments) < len(rows):
        return [f"Cursor {field[-1]} is empty in {len(rows) - len(moments)} of {len(rows)} records."]
    if not cursors:
        return [f"Its state has no {field[-1]}: {str(state)[:120]}."]
    if not moments:
        return []
    newest, reached = (max(found, key=_order) for found in (moments, cursors))
    if _is_less(reached, newest) and not _is_rounded(newest, reached):
        return [f"The state does not move: it is at {_shown(reached)}, and the newest record is of {_shown(newest)}."]
    return []


def _unfinished(stream: str, run: Run) -> list[str]:
    if run.cut or run.errors_of(stream) or "COMPLETE" not in run.statuses(stream)[-1:]:
        return [f"The read with its state did not end: {run.trouble(stream)}"]
    return []


def _before(stream: JsonObject, first: Run, new: Sequence[JsonObject], lookback: float) -> list[str]:
    """What is older than every cursor of the state, or than the one cursor that there is."""
    field = stream["default_cursor_field"]
    cursors = cursors_of(state_of(first, stream["name"]), field[-1])
    if not cursors:
        return []
    bound = min(cursors, key=_order)
    bound = bound - lookback if isinstance(bound, float) else bound
    older = [row for row in new if _is_less(moment(at(row, field)), bound)]
    if not older:
        return []
    first_one = _shown(moment(at(older[0], field)))
    return [f"{len(older)} records come that are older than the state, such as one of {first_one}."]


def _at_boundary(stream: JsonObject, first: Run, rows: Sequence[JsonObject], lookback: float) -> bool:
    """Whether every record is at a cursor of the state, or in the time before it that is read again on purpose."""
    field = stream["default_cursor_field"]
    cursors = cursors_of(state_of(first, stream["name"]), field[-1])
    moments = [moment(at(row, field)) for row in rows]
    if not cursors or len(cursors) >= len(rows):
        return True
    numbers = [each for each in cursors if isinstance(each, float)]
    if not numbers:
        return set(moments) <= set(cursors)
    return all(isinstance(each, float) and each >= min(numbers) - lookback for each in moments)


def _order(value: Moment) -> tuple[int, float, str]:
    return (0, value, "") if isinstance(value, float) else (1, 0.0, value)


def _is_rounded(newest: Moment, reached: Moment) -> bool:
    """Whether a state that is behind is so by its form: a day without a time, or no part of a minute."""
    if isinstance(newest, str) or isinstance(reached, str):
        return False
    return newest - reached < (_DAY if reached % _DAY == 0 else _MINUTE)


def _is_less(one: Moment, other: Moment) -> bool:
    return type(one) is type(other) and _order(one) < _order(other)


def _shown(value: Moment) -> str:
    if isinstance(value, str) or not 1e8 < value < 1e11:
        return str(value)
    return datetime.fromtimestamp(value, UTC).isoformat().replace("+00:00", "Z")
