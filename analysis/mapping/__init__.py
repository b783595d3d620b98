"""From source fields to the canonical vocabulary: known mappings first, then rules; unsure is an answer."""

from analysis.mapping.mapping import FieldMapping, KnownMapping, StreamMapping
from analysis.mapping.proposal import propose_mappings
from analysis.mapping.vocabulary import CANONICAL_ENTITIES, Entity, Field, load_vocabulary

__all__ = [
    "CANONICAL_ENTITIES",
    "Entity",
    "Field",
    "FieldMapping",
    "KnownMapping",
    "StreamMapping",
    "load_vocabulary",
    "propose_mappings",
]
