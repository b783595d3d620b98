"""What a sample showed: frozen values that say for every claim what it stands on."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

Path = tuple[str, ...]
"""A field's place in a record: one name per object level, `[]` for "each item of an array"."""


class Frozen(BaseModel):
    """A value that never changes after it was made."""

    model_config = ConfigDict(frozen=True)


class StreamSample(Frozen):
    """What profiling reads: one stream's declared shape and sampled records (plain JSON values)."""

    source: str
    stream: str
    table: str
    json_schema: Mapping[str, Any]
    primary_key: tuple[Path, ...] = ()
    cursor: Path = ()
    records: Sequence[Mapping[str, Any]] = ()


class ColumnProfile(Frozen):
    """One column, nested ones by path; ratios are between 0 and 1 of the sampled rows."""

    path: Path
    declared_type: str
    """string, number, integer, boolean, object, array, date, timestamptz, timestamp, time or unknown."""
    observed_type: str
    null_ratio: float
    distinct_ratio: float
    minimum: str | None = None
    maximum: str | None = None
    top_values: tuple[tuple[str, int], ...] = ()
    semantic_type: str = "unknown"
    """email, phone, url, uuid, identifier, iso_timestamp, epoch_seconds, epoch_milliseconds, date, currency,
    country, minor_units, boolean_like, enum, json, free_text, person_name, number or unknown."""
    is_personal: bool = False
    evidence: str = ""


class CandidateKey(Frozen):
    """Columns that identify a row; declared ones come from the catalog."""

    columns: tuple[Path, ...]
    is_declared: bool
    duplicates: int
    """Sampled rows beyond the first of their key."""
    evidence: str


class Reference(Frozen):
    """A column whose values are the key of another stream."""

    source: str
    stream: str
    column: Path
    to_stream: str
    to_column: Path
    confidence: float
    evidence: str


class StreamProfile(Frozen):
    """One stream's columns and keys; `keys[0]` is the best key, and no key is an answer."""

    source: str
    stream: str
    table: str
    row_count: int
    columns: tuple[ColumnProfile, ...]
    keys: tuple[CandidateKey, ...] = ()
    cursor: Path = ()

    def column(self, path: Path) -> ColumnProfile:
        """The column at a path; a KeyError names a path that is not there."""
        for found in self.columns:
            if found.path == path:
                return found
        raise KeyError(path)


class SampleProfile(Frozen):
    """Every sampled stream of a tenant, and how they point at each other."""

    streams: tuple[StreamProfile, ...]
    references: tuple[Reference, ...] = ()
