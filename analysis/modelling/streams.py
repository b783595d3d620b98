"""The plan's sources: raw tables as the profile saw them, under names that are safe in dbt."""

from collections.abc import Collection

from analysis.modelling.naming import MODEL_LENGTH, allocate, is_addressable, plain_text, safe_word
from analysis.modelling.plan import RawColumn, Source, SourceStream
from analysis.modelling.transforms import RAW_TYPES
from analysis.profiling.profile import CandidateKey, Path, SampleProfile, StreamProfile

AIRBYTE_COLUMNS = frozenset(
    {"_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_meta", "_airbyte_generation_id", "_airbyte_loaded_at"}
)
"""Columns that Airbyte adds to every raw table."""

_PREFIXES = ("stg_", "int_", "canonical_")

StreamId = tuple[str, str]
"""A source's name and a stream's."""


def plan_sources(profile: SampleProfile, deduplicated: Collection[StreamId]) -> tuple[Source, ...]:
    """Every source with its streams, both in order of name."""
    streams: dict[str, list[StreamProfile]] = {}
    for found in sorted(profile.streams, key=lambda stream: (stream.source, stream.stream)):
        streams.setdefault(found.source, []).append(found)
    words = allocate({(name,): _source_word(name) for name in streams}, length=MODEL_LENGTH - 20)
    return tuple(
        Source(
            name=name,
            model_name=words[(name,)],
            description=f"What Airbyte read from the source {plain_text(name)}.",
            streams=_plan_streams(found, deduplicated),
        )
        for name, found in streams.items()
    )


def _source_word(name: str) -> str:
    """A safe word for a source, without the prefixes of our own models: `int_x` + `y` must not become `int_x__y`."""
    word = safe_word(name)
    return f"source_{word}" if word.startswith(_PREFIXES) else word


def _plan_streams(profiles: list[StreamProfile], deduplicated: Collection[StreamId]) -> tuple[SourceStream, ...]:
    words = allocate({(found.table,): safe_word(found.table) for found in profiles}, length=MODEL_LENGTH)
    return tuple(
        _plan_stream(found, words[(found.table,)], (found.source, found.stream) in deduplicated) for found in profiles
    )


def _plan_stream(profile: StreamProfile, word: str, is_deduplicated: bool) -> SourceStream:
    key = best_key(profile)
    return SourceStream(
        name=profile.stream,
        table=profile.table,
        model_name=word,
        description=f"Raw records of the stream {plain_text(profile.stream)}, as Airbyte loaded them.",
        columns=raw_columns(profile),
        key=key.columns if key else (),
        is_key_declared=key is not None and key.is_declared,
        is_deduplicated=is_deduplicated and key is not None and key.is_declared,
        cursor=profile.cursor if is_readable(profile, profile.cursor) else (),
    )


def raw_columns(profile: StreamProfile) -> tuple[RawColumn, ...]:
    """The raw table's columns in order of name, without Airbyte's own and those that PostgreSQL cannot name."""
    found = {
        column.path[0]: RAW_TYPES.get(column.declared_type, "jsonb")
        for column in profile.columns
        if len(column.path) == 1 and column.path[0] not in AIRBYTE_COLUMNS and is_addressable(column.path[0])
    }
    return tuple(RawColumn(name=name, sql_type=found[name]) for name in sorted(found))


def is_readable(profile: StreamProfile, path: Path) -> bool:
    """Whether a path leads to one value of a raw row: a raw column, or keys inside a JSON one; never into an array."""
    types = {column.name: column.sql_type for column in raw_columns(profile)}
    if not path or path[0] not in types:
        return False
    inside = path[1:]
    if not inside:
        return True
    return types[path[0]] == "jsonb" and all(key != "[]" and is_addressable(key) for key in inside)


def best_key(profile: StreamProfile) -> CandidateKey | None:
    """The first key whose every column can be read; declared ones before inferred ones."""
    keys = sorted(profile.keys, key=lambda key: not key.is_declared)
    return next((key for key in keys if key.columns and all(is_readable(profile, path) for path in key.columns)), None)
