"""What was read: that there is something, that it is as its schema says, and that its keys are keys."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from jsonschema import Draft7Validator, FormatChecker  # type: ignore[import-untyped]

from airbyte_kit.findings import Finding, failed, judged, ok, skipped
from airbyte_kit.replay.exchanges import JsonObject
from airbyte_kit.running.run import Run

formats = FormatChecker(formats=())
_LONGEST = 200


@formats.checks("date-time", raises=ValueError)  # type: ignore[untyped-decorator]
def is_moment(value: object) -> bool:
    """Whether a text is a date with a time."""
    return not isinstance(value, str) or bool("T" in value and datetime.fromisoformat(value))


@formats.checks("date", raises=ValueError)  # type: ignore[untyped-decorator]
def is_day(value: object) -> bool:
    """Whether a text is a date."""
    return not isinstance(value, str) or bool(datetime.strptime(value, "%Y-%m-%d"))


def judge_reading(stream: str, run: Run, *, must_have_rows: bool) -> Finding:
    """The stream was read to its end, and there were records."""
    rows = run.rows_by_stream.get(stream, [])
    if run.cut and rows and "records" in run.cut:
        return ok("read", f"{len(rows)} records, and there are more", stream)
    if run.cut or run.errors_of(stream) or "COMPLETE" not in run.statuses(stream)[-1:]:
        return failed("read", f"It was not read to its end: {run.trouble(stream)}", stream)
    if not rows:
        told = "No record came"
        return (
            failed("read", f"{told}, and there are some.", stream)
            if must_have_rows
            else skipped("read", f"{told}.", stream)
        )
    return ok("read", f"{len(rows)} records", stream)


def judge_schema(stream: JsonObject, rows: Sequence[JsonObject]) -> Finding:
    """Every record against the stream's JSON schema."""
    name = stream["name"]
    if not rows:
        return skipped("schema", "There is no record to look at.", name)
    validator = Draft7Validator(stream["json_schema"], format_checker=formats)
    wrong: dict[str, list[str]] = {}
    for row in rows:
        for error in validator.iter_errors(row):
            what, example = _said(error)
            wrong.setdefault(what, []).append(example)
    ordered = sorted(wrong.items(), key=lambda each: -len(each[1]))
    problems = [f"{what}, such as {found[0]} ({len(found)} times in {len(rows)} records)." for what, found in ordered]
    described = (stream["json_schema"].get("properties") or {}).keys()
    unknown = sorted({field for row in rows for field in row} - described)
    told = f"not described, and loaded by nobody: {', '.join(unknown)}" if unknown else ""
    return judged("schema", problems, told, name)


def judge_keys(stream: JsonObject, rows: Sequence[JsonObject]) -> Finding:
    """The primary key is there in every record, and none has that of another."""
    name, keys = stream["name"], stream.get("source_defined_primary_key") or []
    if not keys:
        return skipped("keys", "It has no primary key.", name)
    if not rows:
        return skipped("keys", "There is no record to look at.", name)
    told = ", ".join(".".join(path) for path in keys)
    problems = []
    for path in keys:
        empty = sum(at(row, path) is None for row in rows)
        if empty:
            problems.append(f"Key {'.'.join(path)} is empty in {empty} of {len(rows)} records.")
    twice = [key for key, times in Counter(key_of(row, keys) for row in rows).items() if times > 1]
    if twice and not problems:
        problems.append(f"{len(twice)} keys ({told}) come more than once, such as {twice[0][:_LONGEST]}.")
    return judged("keys", problems, told, name)


def key_of(row: JsonObject, keys: Sequence[Sequence[str]]) -> str:
    """The primary key's values, or the whole record where there is none."""
    return json.dumps([at(row, path) for path in keys] or row, sort_keys=True)


def at(row: Any, path: Sequence[str]) -> Any:
    """The value at a path, None where there is none."""
    for name in path:
        row = row.get(name) if isinstance(row, dict) else None
    return row


def _said(error: Any) -> tuple[str, str]:
    """What is wrong where, without the places of lists, so that equal errors count together; and the value."""
    path = ".".join(name for name in error.absolute_path if isinstance(name, str)) or "the record"
    if error.validator == "type":
        expected = error.validator_value
        wanted = " or ".join(expected) if isinstance(expected, list) else expected
        return f"{path} is no {wanted}", _value(error)
    return f"{path} is not as the schema wants it ({error.validator})", _value(error)


def _value(error: Any) -> str:
    return json.dumps(error.instance, default=str)[:60]
