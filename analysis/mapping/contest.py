"""The contest: one stream per entity and source; the others say which stream won."""

from collections.abc import Sequence
from typing import NamedTuple

from analysis.mapping.mapping import FieldMapping, StreamMapping
from analysis.profiling.profile import StreamProfile


class Candidate(NamedTuple):
    """A stream that may feed an entity, or feeds none, with its score and evidence."""

    stream: str
    entity: str | None
    score: float
    evidence: str
    fields: tuple[FieldMapping, ...]


def settle(streams: Sequence[StreamProfile], candidates: Sequence[Candidate]) -> list[StreamMapping]:
    """Give each entity to the best stream and each stream its best entity; who loses one may not take a worse one."""
    winners: dict[str, Candidate] = {}
    settled: dict[str, Candidate] = {}
    rows = {stream.stream: stream.row_count for stream in streams}
    for candidate in sorted(
        candidates, key=lambda found: (-found.score, -len(found.fields), -rows[found.stream], found.stream)
    ):
        if candidate.stream in settled:
            continue
        winner = winners.get(candidate.entity or "")
        if winner is not None:
            candidate = _demoted(candidate, winner)
        elif candidate.entity is not None:
            winners[candidate.entity] = candidate
        settled[candidate.stream] = candidate
    return [_mapping(stream, settled[stream.stream]) for stream in streams]


def _demoted(candidate: Candidate, winner: Candidate) -> Candidate:
    evidence = (
        f"Like {candidate.entity} ({candidate.score:.2f}), but {winner.stream!r} feeds that entity "
        f"({winner.score:.2f}). {candidate.evidence}"
    )
    return Candidate(candidate.stream, None, candidate.score, evidence, ())


def _mapping(stream: StreamProfile, candidate: Candidate) -> StreamMapping:
    return StreamMapping(
        source=stream.source,
        stream=stream.stream,
        entity=candidate.entity,
        confidence=round(max(0.0, min(0.99, candidate.score)), 3),
        evidence=candidate.evidence,
        fields=candidate.fields,
    )
