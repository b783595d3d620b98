"""The attempts of a job: how each ended, and whether there is another."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from airbyte_server.jobs.store import JobRow, storable
from airbyte_server.state.tables import job_attempts, jobs

INTERRUPTED = "The server stopped while the job ran."
LOST = "The server lost track of the job."
_GROWTH = 3
_COUNTS = ("recordsEmitted", "bytesEmitted", "recordsCommitted", "rowsWritten", "duplicates", "recordsFilteredOut")

JsonObject = dict[str, Any]
StreamKey = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often a job is tried in all, and how long it rests in between; each pause is three times the last."""

    attempts: int
    first_pause: timedelta
    longest_pause: timedelta

    def pause_after(self, attempts: int) -> timedelta | None:
        """The pause after so many failed attempts; None if there is no other."""
        if attempts >= self.attempts:
            return None
        return min(self.longest_pause, self.first_pause * float(_GROWTH ** min(attempts - 1, 20)))


@dataclass(frozen=True, kw_only=True)
class AttemptEnd:
    """How an attempt ended; one that failed in a way that may pass is `retryable`."""

    succeeded: bool = False
    reason: str | None = None
    retryable: bool = False
    streams: Sequence[JsonObject] = ()
    """The final counts of this attempt; empty leaves what was stored last."""
    pauses: bool = True
    """Whether the next attempt waits; one that the server itself interrupted goes on at once."""

    def next_pause(self, policy: RetryPolicy, attempts: int) -> timedelta | None:
        """How long until the next attempt; None if this one was the last."""
        pause = policy.pause_after(attempts) if self.retryable and not self.succeeded else None
        return pause if pause is None or self.pauses else timedelta(0)


def end_attempt(
    connection: Connection, job: JobRow, end: AttemptEnd, policy: RetryPolicy, *, totals: Sequence[JsonObject] = ()
) -> None:
    """Close the job's running attempt, and the job with it unless it is tried again; a job that was ended stays so.

    `totals` are the final counts of the job, over its attempts.
    """
    store_progress(connection, job, end.streams, totals)
    now = func.now()
    reason = None if end.reason is None else storable(end.reason)
    status = "succeeded" if end.succeeded else "failed"
    ended: dict[str, Any] = {"failure_reason": reason, "ended_at": now, "updated_at": now}
    this = update(job_attempts).where(job_attempts.c.job_id == job.job_id, job_attempts.c.attempt == job.attempts - 1)
    connection.execute(this.where(job_attempts.c.status == "running").values(status=status, **ended))
    pause = end.next_pause(policy, job.attempts)
    if pause is not None:
        ended |= {"ended_at": None, "next_attempt_at": func.clock_timestamp() + pause}
        status = "incomplete"
    running = update(jobs).where(jobs.c.job_id == job.job_id, jobs.c.attempts == job.attempts)
    connection.execute(running.where(jobs.c.status == "running").values(status=status, **ended))


def end_interrupted(
    connection: Connection,
    policy: RetryPolicy,
    *,
    alive: Callable[[], Collection[int]] = tuple,
    reason: str = INTERRUPTED,
) -> list[int]:
    """End the attempts that a dead server left running, and that are not of jobs which are `alive`; their jobs' ids.

    `alive` is asked once the rows are locked: a job that ends meanwhile is still among them.
    """
    running = connection.execute(select(jobs).where(jobs.c.status == "running").with_for_update()).all()
    still = alive()
    left = [job for job in running if job.job_id not in still]
    for job in left:
        end_attempt(connection, job, AttemptEnd(reason=reason, retryable=True, pauses=False), policy)
    # Of a job that was ended meanwhile, as by a restored backup.
    is_over = job_attempts.c.status == "running", job_attempts.c.job_id.not_in(list(still))
    connection.execute(update(job_attempts).where(*is_over).values(status="failed", ended_at=func.now()))
    return [job.job_id for job in left]


def store_progress(
    connection: Connection, job: JobRow, streams: Sequence[JsonObject], totals: Sequence[JsonObject]
) -> None:
    """Keep what the streams have moved so far, in this attempt and in the whole job."""
    is_this = (job_attempts.c.job_id == job.job_id, job_attempts.c.attempt == job.attempts - 1)
    if streams:
        connection.execute(update(job_attempts).where(*is_this).values(_counts(streams)))
    if totals:
        is_current = (jobs.c.job_id == job.job_id, jobs.c.attempts == job.attempts)
        connection.execute(update(jobs).where(*is_current).values(_counts(totals)))


def attempts_of(connection: Connection, job_id: int) -> Sequence[Row[Any]]:
    """The attempts of a job, oldest first."""
    query = select(job_attempts).where(job_attempts.c.job_id == job_id).order_by(job_attempts.c.attempt)
    return connection.execute(query).all()


class JobTotals:
    """The counts of a job over its attempts: an incremental stream goes on where the last attempt stopped."""

    def __init__(self, earlier: Iterable[Sequence[JsonObject]], resumed: Iterable[StreamKey]) -> None:
        """`earlier` are the counts of the attempts before this one; of the streams not `resumed` they are void."""
        keep = set(resumed)
        self._earlier: dict[StreamKey, dict[str, int]] = {}
        for stream in (stream for streams in earlier for stream in streams):
            if _key(stream) in keep:
                sums = self._earlier.setdefault(_key(stream), dict.fromkeys(_COUNTS, 0))
                for name in _COUNTS:
                    sums[name] += stream["stats"].get(name, 0)

    def of(self, streams: Sequence[JsonObject]) -> list[JsonObject]:
        """The job's counts, given this attempt's."""
        return [{**stream, "stats": self._sum(stream)} for stream in streams]

    def _sum(self, stream: JsonObject) -> JsonObject:
        before = self._earlier.get(_key(stream), {})
        return {name: count + before.get(name, 0) for name, count in stream["stats"].items()}


def _key(stream: Mapping[str, Any]) -> StreamKey:
    return stream["streamName"], stream.get("streamNamespace") or ""


def _counts(streams: Sequence[JsonObject]) -> dict[str, Any]:
    return {
        "stream_stats": list(streams),
        "bytes_synced": sum(stream["stats"]["bytesEmitted"] for stream in streams),
        "rows_synced": sum(stream["stats"]["recordsCommitted"] for stream in streams),
        "updated_at": func.now(),
    }
