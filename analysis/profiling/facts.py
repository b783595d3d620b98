"""What semantic detection looks at: one column's name, types and distinct values."""

from dataclasses import dataclass
from functools import cached_property

from analysis.profiling.names import singular, words
from analysis.profiling.paths import ITEM
from analysis.profiling.profile import Path

ENOUGH = 0.8
"""The share of distinct sampled values that must agree; real samples carry masked and empty values."""


@dataclass(frozen=True)
class Facts:
    """One column as the detectors see it; `texts` are up to 200 distinct values."""

    path: Path
    declared: str
    observed: str
    texts: tuple[str, ...]
    value_count: int
    distinct_count: int
    has_currency_beside: bool = False
    has_email_beside: bool = False
    enumerated: bool = False

    @cached_property
    def leaf(self) -> tuple[str, ...]:
        """The words of the innermost name; an array's items carry the array's name."""
        names = [name for name in self.path if name != ITEM]
        return tuple(singular(word) for word in words(names[-1])) if names else ()

    @cached_property
    def name(self) -> frozenset[str]:
        """The leaf's words as a set."""
        return frozenset(self.leaf)

    @property
    def is_text(self) -> bool:
        """Values are strings, or unseen and not declared otherwise."""
        return self.observed == "string" or (self.observed == "unknown" and self.declared in ("string", "unknown"))
