"""What a job brought, stream by stream, over all of its attempts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StreamCounts:
    """Records that the source emitted and that were written, and the bytes emitted, of one stream in one job."""

    emitted: int = 0
    committed: int = 0
    bytes: int = 0

    def __add__(self, other: StreamCounts) -> StreamCounts:
        return StreamCounts(self.emitted + other.emitted, self.committed + other.committed, self.bytes + other.bytes)


def count_streams(attempts: Iterable[Mapping[str, Any]], replaced: Collection[str]) -> dict[str, StreamCounts]:
    """The counts of a job's attempts, oldest first; a stream in `replaced` counts as its last attempt left it."""
    found: dict[str, StreamCounts] = {}
    for each in attempts:
        counts: dict[str, StreamCounts] = {}
        for stream in (each.get("attempt") or each).get("streamStats") or ():
            name = stream["streamName"]
            counts[name] = counts.get(name, StreamCounts()) + _parse_stats(stream.get("stats") or {})
        for name, count in counts.items():
            found[name] = count if name in replaced else found.get(name, StreamCounts()) + count
    return found


def _parse_stats(stats: Mapping[str, Any]) -> StreamCounts:
    emitted, committed = stats.get("recordsEmitted") or 0, stats.get("recordsCommitted")
    return StreamCounts(
        int(emitted), int(emitted if committed is None else committed), int(stats.get("bytesEmitted") or 0)
    )
