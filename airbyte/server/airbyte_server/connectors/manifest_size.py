"""How large a manifest becomes: YAML aliases and references let a few lines stand for billions."""

from collections.abc import Callable, Iterable
from typing import Any

from airbyte_server.errors import RefusedError

MOST_NODES = 1_000_000
DEEPEST = 100


def check_size(manifest: Any, look_up: Callable[[str], Any]) -> None:
    """RefusedError for a manifest that never ends, or is too large or too deep with its references resolved."""
    _Sizes(look_up).of(manifest, 0)


def _items(node: Any) -> Iterable[Any]:
    if isinstance(node, list):
        return node
    # Values of a configuration, where airbyte-cdk resolves nothing.
    return [item for name, item in node.items() if name != "config_overrides"]


class _Sizes:
    def __init__(self, look_up: Callable[[str], Any]) -> None:
        self._look_up = look_up
        self._known: dict[int, int] = {}
        self._known_references: dict[str, int] = {}
        self._open: set[str] = set()

    def of(self, node: Any, depth: int) -> int:
        """The nodes of a value; what an alias or a reference stands for is counted once, and added each time."""
        if depth > DEEPEST:
            raise RefusedError(f"The manifest is more than {DEEPEST} levels deep.")
        if isinstance(node, str) and node.startswith("#/"):
            total = self._of_reference(node, depth)
        elif not isinstance(node, dict | list):
            return 1
        elif id(node) in self._known:
            total = self._known[id(node)]
        else:
            total = self._known[id(node)] = 1 + sum(self.of(item, depth + 1) for item in _items(node))
        if total > MOST_NODES:
            raise RefusedError(f"The manifest has more than {MOST_NODES:,} values once its references are resolved.")
        return total

    def _of_reference(self, reference: str, depth: int) -> int:
        if reference in self._open:
            raise RefusedError(f"Reference {reference} of the manifest leads back to itself.")
        if reference not in self._known_references:
            self._open.add(reference)
            self._known_references[reference] = self.of(self._look_up(reference), depth + 1)
            self._open.remove(reference)
        return self._known_references[reference]
