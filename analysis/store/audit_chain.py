"""Whether the audit log is as it was written."""

from collections.abc import Iterable

from sqlalchemy import Engine

from analysis.store.audit import GENESIS, AuditRow, Head, hash_of, read_head, read_log
from analysis.store.connect import Record


class Verdict(Record):
    """What a check of the chain found: `bad` is the number of the first row that is not as it was written."""

    rows: int
    head: str
    bad: int | None = None
    reason: str | None = None


def verify(rows: Iterable[AuditRow], *, head: Head | None = None, known: str | None = None) -> Verdict:
    """Follow the chain; a changed, removed or reordered row breaks it, and so does an end that is not `head`.

    `known` is the hash of a row that was once the last: a log without it has lost its tail, or was written anew.
    """
    count, previous, seen = 0, GENESIS, known in (None, GENESIS)
    for row in rows:
        reason = _fault(row, count + 1, previous)
        if reason is not None:
            return Verdict(rows=count, head=previous, bad=count + 1, reason=reason)
        count, previous = count + 1, row.hash
        seen = seen or row.hash == known
    if head is not None and (head.seq, head.hash) != (count, previous):
        reason = f"The log ends at row {count}, its head says {head.seq}: its last rows were removed or added by hand."
        return Verdict(rows=count, head=previous, bad=min(count, head.seq) + 1, reason=reason)
    if not seen:
        reason = "No row has the hash that was given: the rows up to it were removed, or the log was written anew."
        return Verdict(rows=count, head=previous, bad=count + 1, reason=reason)
    return Verdict(rows=count, head=previous)


def _fault(row: AuditRow, expected: int, previous: str) -> str | None:
    if row.seq != expected:
        return f"Row {expected} is missing."
    if row.previous_hash != previous:
        return f"Row {expected} does not follow the row before it: it or that one was replaced, moved or changed."
    if row.hash != hash_of(row.model_dump()):
        return f"Row {expected} is not as it was written."
    return None


def verify_log(engine: Engine, *, known: str | None = None) -> Verdict:
    """Verify the stored log, as it was at one moment, row by row."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        head = read_head(connection)
        return verify(read_log(connection), head=head, known=known)
