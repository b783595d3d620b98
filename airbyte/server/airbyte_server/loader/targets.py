"""What the loader is told about a stream, and what it tells about it afterwards."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

SyncMode = Literal[
    "full_refresh_overwrite",
    "full_refresh_overwrite_deduped",
    "full_refresh_append",
    "incremental_append",
    "incremental_deduped_history",
]


@dataclass(frozen=True, kw_only=True)
class StreamTarget:
    """One stream of a job and the table it lands in; `table` is already prefixed and named by `final_table_name`."""

    stream: str
    namespace: str
    """The target's schema, created if it is missing and the login may."""
    table: str
    json_schema: Mapping[str, Any]
    sync_mode: SyncMode
    primary_key: Sequence[Sequence[str]] = ()
    cursor: Sequence[str] = ()
    generation_id: int = 0
    source_namespace: str | None = None
    """The stream's namespace in the source's catalog and messages; most sources have none."""
    refreshes: bool = False
    """Read from its beginning: the new rows take the place of all older ones at the stream's end, in every mode that
    would otherwise keep them."""
    mapper: Callable[[dict[str, Any]], dict[str, Any] | None] | None = None
    """Picklable; makes a record's data fit `json_schema`, or answers None for a record that is left out."""


@dataclass
class StreamOutcome:
    """Counts of one stream, kept up to date while the job runs.

    `records_emitted` and `bytes_emitted` are what the connector sent (its messages, as JSON); `rows_written` were
    inserted into the final table or replaced a row there; `duplicates` shared their key with another record of this
    job, or had no full key and the content of a row already there; appending modes have none; `rows_filtered` were left
    out by the target's `mapper`. On a table that was empty, records_emitted = rows of the table + duplicates +
    rows_filtered. A record older than what an earlier job stored is neither
    written nor, if it comes again after a checkpoint, a duplicate.
    """

    stream: str
    source_namespace: str | None = None
    records_emitted: int = 0
    bytes_emitted: int = 0
    rows_written: int = 0
    duplicates: int = 0
    rows_filtered: int = 0
    complete: bool = False
    """The stream was read to its end and its rows are committed."""
