"""What a sample may read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The most records of each stream, and of all streams together the most bytes of records and the most seconds."""

    records_per_stream: int
    bytes: int
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """As it is stored, and as the API has it."""
        return {"recordsPerStream": self.records_per_stream, "bytes": self.bytes, "seconds": self.seconds}


def budget_of(stored: Mapping[str, Any] | None) -> Budget | None:
    """A job's budget, or None for a job that is no sample."""
    if stored is None:
        return None
    return Budget(
        records_per_stream=stored["recordsPerStream"], bytes=stored["bytes"], seconds=float(stored["seconds"])
    )
