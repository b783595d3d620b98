"""A mapping: which canonical field a source field feeds, how sure, and why."""

from analysis.profiling.profile import Frozen, Path


class FieldMapping(Frozen):
    """One source field → entity.field, with the transform that makes the target's type."""

    path: Path
    field: str
    transform: str
    """A name of the closed catalogue: see `analysis.modelling.transforms`."""
    arguments: tuple[Path, ...] = ()
    """Further source paths the transform needs, such as the currency of an amount in minor units."""
    confidence: float
    method: str
    """baseline, registry, nearest, llm or person; the rules of the first cut say `rule`."""
    evidence: str


class StreamMapping(Frozen):
    """What one stream is: its entity, or none, and the fields that feed it."""

    source: str
    stream: str
    entity: str | None
    confidence: float
    evidence: str
    fields: tuple[FieldMapping, ...] = ()


class KnownMapping(Frozen):
    """A mapping that was approved before; it wins over the rules while its stream and path still exist."""

    source: str
    stream: str
    path: Path
    entity: str
    field: str
    transform: str
    arguments: tuple[Path, ...] = ()
    confidence: float = 1.0
    method: str = "registry"
    evidence: str = "Approved before."
