"""Conservation: every record a source emitted is a raw row, every raw row is staged, save counted duplicates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import Engine

from analysis.errors import PermanentError
from analysis.modelling import ModelPlan
from analysis.modelling.conservation import StreamCounts, counting_query, judge_stream
from orchestration.tenancy.statements import run, transaction


@dataclass(frozen=True)
class Load:
    """What one sync did to one raw table."""

    table: str
    records: int
    """Records that the source emitted; of those that a mapper filters, the ones that it let through."""
    rows_before: int
    rows: int
    is_deduplicated: bool
    """Airbyte keeps one row per declared key."""
    is_replaced: bool
    """Airbyte put the records in the place of what was there; otherwise it added them."""
    is_told: bool = True
    """The job tells of the stream; of one that its source no longer offers it says nothing."""

    @property
    def rows_kept(self) -> int:
        """Rows that were there before and still are."""
        return 0 if self.is_replaced else self.rows_before

    @property
    def duplicates(self) -> int:
        """Records that met a row of their declared key: repeats in the source, and rows read again by cursor."""
        return self.rows_kept + self.records - self.rows if self.is_deduplicated else 0

    @property
    def is_conserved(self) -> bool:
        """Every record is a row beside those kept; deduplicated, the table never shrinks nor outgrows its records."""
        if not self.is_deduplicated:
            return self.rows == self.rows_kept + self.records
        return self.rows_kept <= self.rows <= self.rows_kept + self.records and (self.rows > 0 or not self.records)


def require_conserved_loads(loads: list[Load]) -> list[dict[str, object]]:
    """The loads as rows of a table; a PermanentError names the first one that lost or gained rows."""
    for load in loads:
        if not load.is_conserved and not load.is_told:
            raise PermanentError(
                f"Table {load.table} holds {load.rows} rows of before: the sync left its stream out;"
                " look at the sync's log, and leave the stream out of the connection if its source lost it."
            )
        if not load.is_conserved:
            raise PermanentError(
                f"Table {load.table} holds {load.rows} rows after {load.records} records were read;"
                " look at the sync's log before building on it.",
                rows_before=load.rows_before,
            )
    return [{**asdict(load), "duplicates": load.duplicates} for load in loads]


def require_conserved_staging(
    builder: Engine, schema: str, plan: ModelPlan, staging_rows: Mapping[str, int]
) -> list[dict[str, object]]:
    """Raw rows against staged rows per stream; a PermanentError names the first stream that does not add up."""
    rows = []
    for model in plan.staging:
        stream = plan.stream_of(model)
        with transaction(builder) as connection:
            raw, duplicates = run(connection, "{}", counting_query(stream, schema))[0]
        verdict = judge_stream(
            StreamCounts(
                source=model.source,
                stream=model.stream,
                raw_rows=raw,
                raw_duplicates=duplicates,
                staged_rows=staging_rows[model.name],
            )
        )
        if not verdict.is_conserved:
            raise PermanentError(
                f"Rows of stream {model.source}.{model.stream} are lost or doubled: {verdict.sentence}"
            )
        rows.append(
            {
                "stream": f"{model.source}.{model.stream}",
                "raw_rows": raw,
                "duplicates": duplicates,
                "staged_rows": verdict.counts.staged_rows,
            }
        )
    return rows
