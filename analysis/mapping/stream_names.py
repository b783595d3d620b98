"""Stream names: the noun that a stream is about, freed of what every stream of its source carries."""

from collections import Counter
from collections.abc import Sequence

from analysis.mapping.synonyms import Phrase, load_synonyms, phrase

_FEW_STREAMS = 4
_SHARED = 0.8


def core_names(source: str, streams: Sequence[str]) -> dict[str, Phrase]:
    """Each stream's name without noise words, numbers, the source's own words and words that most streams share."""
    spoken = {stream: phrase(stream) for stream in streams}
    noise = set(load_synonyms().noise)
    if len(streams) >= _FEW_STREAMS:
        counts = Counter(word for name in spoken.values() for word in set(name))
        noise |= {word for word, count in counts.items() if count >= _SHARED * len(streams)}
    own = set(phrase(source))
    return {stream: _core(name, noise, own) for stream, name in spoken.items()}


def _core(name: Phrase, noise: set[str], own: set[str]) -> Phrase:
    """The words that are left; the last noun may be the source's own word, as it says what the rows are."""
    kept = tuple(word for word in name if word not in noise and not word.isdigit())
    without_source = tuple(word for word in kept[:-1] if word not in own) + kept[-1:]
    return without_source or name
