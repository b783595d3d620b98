"""Conservation: every record that a source emitted is a raw row, every raw row is staged, save counted duplicates."""

from psycopg import sql

from analysis.errors import PermanentError
from analysis.modelling.plan import SourceStream
from analysis.profiling.profile import Frozen, Path


class StreamCounts(Frozen):
    """What was counted of one stream; `None` where nothing could be counted."""

    source: str
    stream: str
    emitted: int | None = None
    """Records that the source emitted into the raw table as it is now; None after a sync that only added to it."""
    loaded_duplicates: int = 0
    """Emitted records that the load replaced by a later one of their declared key."""
    raw_rows: int
    raw_duplicates: int = 0
    """Raw rows beyond the first of their declared, complete key."""
    staged_rows: int


class ConservationVerdict(Frozen):
    """Whether one stream lost or gained rows, with the sum as a sentence."""

    counts: StreamCounts
    is_conserved: bool
    sentence: str


def judge_stream(counts: StreamCounts) -> ConservationVerdict:
    """Records = raw rows = staged rows; the only difference allowed is duplicates by a declared key."""
    expected_raw = counts.raw_rows if counts.emitted is None else counts.emitted - counts.loaded_duplicates
    expected_staged = counts.raw_rows - counts.raw_duplicates
    parts = [
        "" if counts.emitted is None else f"{counts.emitted} records - {counts.loaded_duplicates} duplicates = ",
        f"{counts.raw_rows} raw rows - {counts.raw_duplicates} duplicates = {counts.staged_rows} staged rows",
    ]
    is_conserved = counts.raw_rows == expected_raw and counts.staged_rows == expected_staged
    claim = "".join(parts)
    sentence = f"{claim}." if is_conserved else f"This does not add up: {claim}."
    return ConservationVerdict(counts=counts, is_conserved=is_conserved, sentence=sentence)


def counting_query(stream: SourceStream, schema: str) -> sql.Composed:
    """A query for (raw_rows, raw_duplicates) of a stream, written apart from the staging model that it judges."""
    table = sql.Identifier(schema, stream.table)
    if not (stream.key and stream.is_key_declared) or stream.is_deduplicated:
        return sql.SQL("select count(*), 0::bigint from {}").format(table)
    types = {column.name: column.sql_type for column in stream.columns}
    parts = [_key_part(path, types) for path in stream.key]
    complete = sql.SQL(" and ").join(sql.SQL("{} is not null").format(part) for part in parts)
    distinct = sql.SQL("select count(*) from (select distinct {} from {} where {}) as keys").format(
        sql.SQL(", ").join(parts), table, complete
    )
    return sql.SQL("select count(*), count(*) filter (where {}) - ({}) from {}").format(complete, distinct, table)


def _key_part(path: Path, types: dict[str, str]) -> sql.Composable:
    if not path or path[0] not in types:
        raise PermanentError("The key names a column that the raw table lacks.", path=path)
    column = sql.Identifier(path[0])
    if types[path[0]] != "jsonb":
        return column
    return sql.SQL("({} #>> {}::text[])").format(column, sql.Literal(list(path[1:])))
