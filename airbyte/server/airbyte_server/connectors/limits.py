"""What a connector's process may take of the machine."""

import resource
from dataclasses import dataclass

_MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class ConnectorLimits:
    """The limits of one connector; each is named after its setting."""

    memory_mib: int = 1024
    silence_seconds: float = 5400.0
    longest_line_mib: int = 64


def confine(memory_mib: int) -> None:
    """Bound the memory of this process and of each that it starts; no core file, which would hold secrets, is written.

    RLIMIT_DATA counts what can be written: libraries reserve far more addresses than they use.
    """
    _lower(resource.RLIMIT_DATA, memory_mib * _MIB)
    _lower(resource.RLIMIT_CORE, 0)


def _lower(limit: int, to: int) -> None:
    hard = resource.getrlimit(limit)[1]
    bound = to if hard == resource.RLIM_INFINITY else min(to, hard)
    resource.setrlimit(limit, (bound, bound))
