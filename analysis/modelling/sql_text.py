"""The form of every rendered SQL file: common table expressions, then `select *` from the last."""

from collections.abc import Sequence

HEADER = "{#- Generated from a model plan. Do not edit: change the plan. -#}"


def select_all(relation: str) -> str:
    """A select of everything from a relation, which is one of our own names or a template expression of them."""
    return f"select * from {relation}"  # noqa: S608


def document(ctes: Sequence[str], last: str) -> str:
    """A whole model file."""
    return f"{HEADER}\nwith\n\n" + ",\n\n".join(ctes) + f"\n\n{select_all(last)}\n"


def cte(name: str, lines: Sequence[str]) -> str:
    """One common table expression; line ends inside a line belong to a name and stay as they are."""
    return f"{name} as (\n\n" + "\n".join(f"    {line}" if line else "" for line in lines) + "\n\n)"


def select_lines(items: Sequence[Sequence[str]]) -> list[str]:
    """A select of items of one or more lines each."""
    lines = ["select"]
    for place, item in enumerate(items):
        comma = "," if place < len(items) - 1 else ""
        lines += [f"    {line}" for line in item[:-1]] + [f"    {item[-1]}{comma}"]
    return lines
