"""How alike two names are, word by word and letter by letter."""

from functools import lru_cache

from analysis.mapping.synonyms import Phrase

_LIKE_AT_MOST = 0.92


@lru_cache(maxsize=262144)
def likeness(left: Phrase, right: Phrase) -> float:
    """1 for the same words, however they are joined; below 0.92 for names that only share words or letters."""
    if not left or not right:
        return 0.0
    if left == right or "".join(left) == "".join(right):
        return 1.0
    shared = len(set(left) & set(right))
    by_words = shared / len(set(left) | set(right))
    if set(left) == set(right):
        return 0.95
    letters = _dice("".join(left), "".join(right))
    if not shared and letters < 0.6:
        return 0.4 * letters
    return min(_LIKE_AT_MOST, 0.55 * by_words + 0.45 * letters)


def _dice(left: str, right: str) -> float:
    first, second = _trigrams(left), _trigrams(right)
    return 2 * len(first & second) / (len(first) + len(second))


@lru_cache(maxsize=65536)
def _trigrams(text: str) -> frozenset[str]:
    padded = f"  {text} "
    return frozenset(padded[start : start + 3] for start in range(len(padded) - 2))
