"""Proposals: what each stream of a profile is, and which of its fields feed the vocabulary."""

from collections.abc import Sequence

from analysis.mapping.contest import Candidate, settle
from analysis.mapping.entities import claims
from analysis.mapping.fields import StreamReader
from analysis.mapping.identity import id_mapping, usable_key
from analysis.mapping.known import known_candidate
from analysis.mapping.mapping import KnownMapping, StreamMapping
from analysis.mapping.stream_names import core_names
from analysis.mapping.vocabulary import load_vocabulary
from analysis.profiling.profile import SampleProfile, StreamProfile


def propose_mappings(profile: SampleProfile, known: Sequence[KnownMapping] = ()) -> tuple[StreamMapping, ...]:
    """One mapping per stream, in the profile's order; each entity is fed by at most one stream of a source."""
    sources = dict.fromkeys(stream.source for stream in profile.streams)
    found = {
        (mapping.source, mapping.stream): mapping
        for source in sources
        for mapping in _propose_source([stream for stream in profile.streams if stream.source == source], known)
    }
    return tuple(found[stream.source, stream.stream] for stream in profile.streams)


def _propose_source(streams: Sequence[StreamProfile], known: Sequence[KnownMapping]) -> list[StreamMapping]:
    cores = core_names(streams[0].source, [stream.stream for stream in streams])
    candidates = [candidate for stream in streams for candidate in _candidates(stream, cores[stream.stream], known)]
    return settle(streams, candidates)


def _candidates(stream: StreamProfile, core: tuple[str, ...], known: Sequence[KnownMapping]) -> list[Candidate]:
    """What a stream may feed, best first: what was approved before, else what the rules claim."""
    reader = StreamReader(stream, [core])
    approved = known_candidate(stream, reader, known)
    if approved is not None:
        return [approved]
    found = claims(core, reader)
    key = usable_key(stream)
    if not found or key is None:
        why = (
            "No entity fits its name and fields."
            if not found
            else f"Like {found[0].entity}, but no single column is its key."
        )
        return [Candidate(stream.stream, None, 0.0, why, ())]
    result = []
    for claim in found:
        identity = id_mapping(stream, load_vocabulary()[claim.entity], key)
        fields = tuple(mapping for mapping in claim.fields if mapping.path != identity.path)
        result.append(Candidate(stream.stream, claim.entity, claim.score, claim.evidence, (identity, *fields)))
    return result
