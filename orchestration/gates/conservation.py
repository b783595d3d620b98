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
    """Records that the source emitted."""
    rows_before: int
    rows: int
    is_deduplicated: bool
    """Airbyte keeps one row per declared key; otherwise it replaced the table."""

    @property
    def duplicates(self) -> int:
        """Records that met a row of their declared key: repeats in the source, and rows read again by cursor."""
        return self.rows_before + self.records - self.rows if self.is_deduplicated else 0

    @property
    def is_conserved(self) -> bool:
        """A replaced table has a row per record; a deduplicated one never shrinks, nor grows beyond its records."""
        if not self.is_deduplicated:
            return self.rows == self.records
        return self.rows_before <= self.rows <= self.rows_before + self.records and (self.rows > 0 or not self.records)


def require_conserved_loads(loads: list[Load]) -> list[dict[str, object]]:
    """The loads as rows of a table; a PermanentError names the first one that lost or gained rows."""
    for load in loads:
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
