"""One tenant of the sandbox: its world, and what goes wrong in it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from pydantic import ConfigDict

from airbyte_sandbox.schema import Record
from airbyte_sandbox.server.drifts import Drift
from airbyte_sandbox.world import World

FaultKind = Literal["rate_limit", "server_error", "cut_body", "slow", "unauthorised"]
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_MOST_CUSTOMERS = 20_000
_MOST_DAYS = 3660
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
_MOST_SEED = 2**53


@dataclass(frozen=True)
class Fault:
    """What every `every`-th request of an account to a tool meets, the first of them being number `every`."""

    tool: str
    kind: FaultKind
    every: int = 5
    seconds: float = 1.0
    """How long `slow` waits, and what `rate_limit` says in Retry-After (whole seconds, rounded up)."""

    # Read by pydantic: a misspelt setting is an error.
    __pydantic_config__ = ConfigDict(extra="forbid")

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"A fault comes every so many requests, at least every one. (every={self.every})")
        if not 0 <= self.seconds <= 300:
            raise ValueError(f"A fault takes 0 to 300 seconds. (seconds={self.seconds})")


@dataclass(frozen=True, kw_only=True)
class Account:
    """A world by name; two accounts of the same seed, size and days hold the same data under different keys."""

    name: str
    seed: int = 7
    customers: int = 60
    start: date
    end: date | None = None
    """The last day; None is yesterday (UTC), whatever day it is when one asks."""
    faults: tuple[Fault, ...] = ()
    drifts: tuple[Drift, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                "An account's name begins with a letter and has at most 63 of a-z, 0-9, _ and -. "
                f"(name={self.name[:80]!r})"
            )
        if not 1 <= self.customers <= _MOST_CUSTOMERS:
            raise ValueError(f"An account has 1 to {_MOST_CUSTOMERS} customers. (customers={self.customers})")
        if not 0 <= self.seed < _MOST_SEED:
            raise ValueError(f"A seed is a whole number from 0 to 2^53. (seed={self.seed})")
        last = self.end or yesterday()
        if not (_FIRST_DAY <= self.start <= _LAST_DAY and _FIRST_DAY <= last <= _LAST_DAY):
            raise ValueError(f"An account's days are of {_FIRST_DAY} to {_LAST_DAY}. (start={self.start}, last={last})")
        if not self.start <= last < self.start + timedelta(days=_MOST_DAYS):
            raise ValueError(f"An account's days are 1 to {_MOST_DAYS}. (start={self.start}, last={last})")

    @property
    def world(self) -> World:
        """The world as it is now."""
        return World(self.seed, self.customers, self.start, self.end or yesterday())

    def drifted(self, tool: str, stream: str, records: Sequence[Record]) -> list[Record]:
        """The records with this account's drifts of the stream; give it a page, after filters and paging."""
        found = [drift for drift in self.drifts if (drift.tool, drift.stream) == (tool, stream)]
        return [_with(found, record) for record in records] if found else list(records)


def yesterday() -> date:
    """The last whole day (UTC)."""
    return datetime.now(UTC).date() - timedelta(days=1)


def _with(drifts: Sequence[Drift], record: Record) -> Record:
    for drift in drifts:
        record = drift.applied(record)
    return record
