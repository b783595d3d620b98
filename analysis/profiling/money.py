"""Money: which column says in what currency an amount is."""

from collections.abc import Iterable

from analysis.profiling.names import words
from analysis.profiling.paths import ITEM
from analysis.profiling.profile import Path

_CURRENCY_NAMES = (("currency",), ("currency", "code"), ("currency", "iso"), ("currency", "iso", "code"))


class CurrencyColumns:
    """The currency columns of one stream."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._by_parent: dict[Path, Path] = {}
        for path in paths:
            if path[-1] != ITEM and words(path[-1]) in _CURRENCY_NAMES:
                self._by_parent.setdefault(path[:-1], path)

    def beside(self, path: Path) -> Path | None:
        """The currency in an amount's own object, else in the nearest one around it; None where there is none."""
        for depth in range(len(path) - 1, -1, -1):
            found = self._by_parent.get(path[:depth])
            if found is not None and found != path:
                return found
        return None
