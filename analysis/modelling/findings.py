"""What a gate found wrong."""

from analysis.profiling.profile import Frozen


class Finding(Frozen):
    """One thing that keeps a plan or a model set from being built."""

    place: str
    """The model, field or file."""
    sentence: str
    """What is wrong there, as one sentence."""
