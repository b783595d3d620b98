"""Names as words: `customerIDs`, `customer_ids` and `Customer-Ids` read alike."""

import re
from functools import lru_cache

_CASE_CHANGE = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W\d_]+|\d+")
_IRREGULAR = {
    "people": "person",
    "children": "child",
    "indices": "index",
    "criteria": "criterion",
    "media": "media",
    "series": "series",
    "news": "news",
    "sms": "sms",
    "gps": "gps",
    "dns": "dns",
    "aws": "aws",
    "https": "https",
    "hs": "hs",
    "ids": "id",
    "ads": "ad",
}
_KEEP_S = ("ss", "us", "is", "ous")
_DROP_ES = ("sses", "shes", "ches", "xes", "zzes", "uses")
_PLURAL_ACRONYM = re.compile(r"([A-Z]{2,})s(?![a-z])")


@lru_cache(maxsize=65536)
def words(name: str) -> tuple[str, ...]:
    """The lower-case words of a name: split at case changes, digits and anything that is no letter."""
    parted = _CASE_CHANGE.sub("_", _PLURAL_ACRONYM.sub(r"\1", name))
    return tuple(word.lower() for word in _WORD.findall(parted))


@lru_cache(maxsize=65536)
def singular(word: str) -> str:
    """The singular of an English word; a word that is no plural comes back as it is."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 3 or not word.endswith("s") or word.endswith(_KEEP_S):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith("causes") or word.endswith("pauses"):
        return word[:-1]
    return word[:-2] if word.endswith(_DROP_ES) else word[:-1]


def singular_words(name: str) -> tuple[str, ...]:
    """The words of a name, each in the singular."""
    return tuple(singular(word) for word in words(name))
