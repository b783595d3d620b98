"""Records laid out by path: every nested value under its column, arrays item by item."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analysis.profiling.profile import Path

ITEM = "[]"
MAXIMUM_DEPTH = 6
MAXIMUM_NESTED = 4000
MAXIMUM_ITEMS = 50
_METADATA = "_airbyte_"


class Node:
    """One path's values over all rows; `rows` counts the rows that hold any."""

    __slots__ = ("children", "path", "rows", "seen", "values")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.values: list[Any] = []
        self.children: dict[str, Node] = {}
        self.rows = 0
        self.seen = -1


class Columns:
    """The tree of a stream's columns, filled record by record."""

    def __init__(self, declared: Sequence[str] = ()) -> None:
        self._root = Node(())
        self._nested = 0
        for name in declared:
            self._child(self._root, name)

    def add(self, row: int, record: Mapping[str, Any]) -> None:
        """Take one record in; the loader's own columns are left out."""
        for name, value in record.items():
            if name.startswith(_METADATA):
                continue
            child = self._child(self._root, name)
            if child is not None and value is not None:
                self._take(child, row, value)

    def _take(self, node: Node, row: int, value: Any) -> None:
        node.values.append(value)
        if node.seen != row:
            node.seen, node.rows = row, node.rows + 1
        if len(node.path) >= MAXIMUM_DEPTH:
            return
        if isinstance(value, Mapping):
            for name, inner in value.items():
                child = self._child(node, str(name))
                if child is not None and inner is not None:
                    self._take(child, row, inner)
        elif isinstance(value, list | tuple) and value:
            child = self._child(node, ITEM)
            if child is not None:
                for inner in value[:MAXIMUM_ITEMS]:
                    if inner is not None:
                        self._take(child, row, inner)

    def _child(self, node: Node, name: str) -> Node | None:
        """The child of that name, made when new; None once a stream has too many nested columns."""
        child = node.children.get(name)
        if child is None:
            if node.path:
                if self._nested >= MAXIMUM_NESTED:
                    return None
                self._nested += 1
            child = node.children[name] = Node((*node.path, name))
        return child

    def ensure(self, path: Path) -> None:
        """Make a declared column exist, even where no record holds it."""
        node: Node | None = self._root
        for name in path:
            node = self._child(node, name) if node is not None else None

    def __iter__(self) -> Iterator[Node]:
        """Every column, parents before their children, in the order of first sight."""
        waiting = list(reversed(self._root.children.values()))
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children.values()))


def value_at(record: Mapping[str, Any], path: Path) -> Any:
    """The value at a path of object levels; None where any level is absent."""
    value: Any = record
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value
