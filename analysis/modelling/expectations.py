"""The plan's tests: errors for what a catalog declares, warnings for what a sample only suggests."""

import re

from analysis.modelling.plan import ModelTest, SourceStream, StagingColumn
from analysis.profiling.profile import ColumnProfile, StreamProfile

# dbt's own test puts values into SQL as they are and reads numbers anew, so that only plain words may be values.
_PLAIN_WORD = re.compile(r"(?!(?:None|True|False)$)[A-Za-z][A-Za-z0-9_ -]{0,59}")
_FEWEST_ROWS = 50
_MOST_VALUES = 8
_FEWEST_OCCURRENCES = 3


def plan_tests(
    stream: SourceStream, profile: StreamProfile, columns: tuple[StagingColumn, ...]
) -> tuple[ModelTest, ...]:
    """The tests of one stream's model."""
    return _key_tests(stream, profile, columns) + _value_tests(profile, columns)


def _key_tests(
    stream: SourceStream, profile: StreamProfile, columns: tuple[StagingColumn, ...]
) -> tuple[ModelTest, ...]:
    names = {column.path: column.name for column in columns if column.transform != "json"}
    if not stream.key or any(path not in names for path in stream.key):
        return ()
    key = tuple(names[path] for path in stream.key)
    severity = "error" if stream.is_key_declared else "warn"
    nulls = {column.path for column in profile.columns if column.null_ratio > 0}
    unique = ModelTest(kind="unique" if len(key) == 1 else "unique_combination", columns=key, severity=severity)
    return (
        unique,
        *(
            ModelTest(kind="not_null", columns=(names[path],), severity="warn" if path in nulls else severity)
            for path in stream.key
        ),
    )


def _value_tests(profile: StreamProfile, columns: tuple[StagingColumn, ...]) -> tuple[ModelTest, ...]:
    if profile.row_count < _FEWEST_ROWS:
        return ()
    seen = {column.path: column for column in profile.columns}
    return tuple(
        ModelTest(
            kind="accepted_values",
            columns=(column.name,),
            severity="warn",
            values=tuple(sorted(value for value, _ in seen[column.path].top_values)),
        )
        for column in columns
        if column.transform == "text" and column.path in seen and _is_closed_set(seen[column.path], profile.row_count)
    )


def _is_closed_set(column: ColumnProfile, row_count: int) -> bool:
    """Whether the sample shows a few plain words, each often, and nothing else."""
    values = column.top_values
    return (
        column.semantic_type == "enum"
        and not column.is_personal
        and 1 < len(values) <= _MOST_VALUES
        and all(_PLAIN_WORD.fullmatch(value) and count >= _FEWEST_OCCURRENCES for value, count in values)
        and sum(count for _, count in values) >= round(row_count * (1 - column.null_ratio))
    )
