"""Which lists become streams: those asked for and their parents, or all that need nothing but credentials."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field

from airbyte_kit.errors import KitError
from airbyte_kit.openapi import words
from airbyte_kit.openapi.ancestry import Ancestry, Parent
from airbyte_kit.openapi.document import segments_of
from airbyte_kit.openapi.listings import Found, Listing, find_listings
from airbyte_kit.openapi.parameters import Parameter
from airbyte_kit.openapi.shapes import Shapes

MOST_STREAMS = 100


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A list that becomes a stream."""

    listing: Listing
    name: str
    parent: Parent | None
    ancestors: tuple[Parent, ...]
    """The nearest parent first."""
    asked: tuple[str, ...]
    """The path's parameters that the configuration says."""
    needed: tuple[Parameter, ...]
    """Parameters of the query and headers that it cannot do without."""


@dataclass
class Choices:
    """The streams, parents before their children, and what is left out with the reason."""

    streams: list[Choice] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)


def choose(shapes: Shapes, wanted: Sequence[str] = ()) -> Choices:
    """The lists to draft; KitError where nothing is found, or nothing of that name."""
    everything = find_listings(shapes)
    found = everything.listings
    if wanted:
        _refuse_problems(shapes, everything, wanted)
    if not found:
        raise KitError(_nothing(shapes, everything))
    ancestry = Ancestry(shapes, found)
    chosen = _asked_for(found, wanted) if wanted else []
    paths = {each.path for each in chosen} | {each.listing.path for one in chosen for each in ancestry.ancestors(one)}
    result = Choices(left_out=[] if wanted else list(everything.problems.items()))
    kept: list[Listing] = []
    for each in sorted(found, key=lambda each: len(ancestry.ancestors(each))):
        if wanted and each.path not in paths:
            continue
        reason = None if wanted else _reason(ancestry, each, len(kept))
        if reason:
            result.left_out.append((each.path, reason))
        else:
            kept.append(each)
    if not kept:
        some = ", ".join(each.path for each in found[:5])
        raise KitError(
            f"Every list of {shapes.document.name} needs more than credentials; name some with --resource: {some}."
        )
    names = _names(kept)
    result.streams = [_choice(ancestry, each, names[each.path]) for each in kept]
    return result


def _refuse_problems(shapes: Shapes, everything: Found, wanted: Sequence[str]) -> None:
    for path, problem in everything.problems.items():
        last = segments_of(path)[-1]
        if any(path.strip("/") == name.strip("/") or words.snake(name) == words.snake(last) for name in wanted):
            raise KitError(f"{path} of {shapes.document.name} cannot be drafted: {problem}.")


def _nothing(shapes: Shapes, everything: Found) -> str:
    for path, problem in everything.problems.items():
        return f"{path} of {shapes.document.name} cannot be drafted, and there is no other list: {problem}."
    return f"{shapes.document.name} has no GET that answers with a list of objects, so there is no stream."


def _asked_for(found: Sequence[Listing], wanted: Sequence[str]) -> list[Listing]:
    chosen = []
    for name in wanted:
        fitting = [each for each in found if _is_called(each, name)]
        if not fitting:
            known = [*(each.path for each in found), *(each.noun for each in found)]
            close = difflib.get_close_matches(name, known, 3, 0.4) or known[:3]
            raise KitError(f"No list is called {name[:100]}; there are {', '.join(close)} and others.")
        chosen += fitting
    return chosen


def _is_called(listing: Listing, name: str) -> bool:
    if "/" in name:
        return listing.path.strip("/") == name.strip("/")
    return name in (listing.operation.get("operationId"), listing.noun) or words.snake(name) == listing.noun


def _reason(ancestry: Ancestry, listing: Listing, kept: int) -> str | None:
    choice = _choice(ancestry, listing, "")
    for each in choice.ancestors:
        if _reason(ancestry, each.listing, 0):
            return f"its parent {each.listing.path} is left out"
    if choice.asked:
        return f"needs {', '.join(choice.asked)}, which no list gives"
    missing = [each.name for each in choice.needed if each.settled is None]
    if missing:
        return f"needs {', '.join(missing)}"
    if listing.operation.get("deprecated") is True:
        return "deprecated"
    return f"beyond the first {MOST_STREAMS}" if kept >= MOST_STREAMS else None


def _choice(ancestry: Ancestry, listing: Listing, name: str) -> Choice:
    """All that its stream needs."""
    above = ancestry.ancestors(listing)
    # The parameters before a parent's own are that parent's, so what nobody gives is the outermost list's.
    asked = (above[-1].listing if above else listing).placeholders
    needed = [each for each in listing.parameters if each.required and each.location in ("query", "header")]
    return Choice(
        listing=listing,
        name=name,
        parent=above[0] if above else None,
        ancestors=above,
        asked=tuple(dict.fromkeys(asked)),
        needed=tuple(needed),
    )


def _names(kept: Sequence[Listing]) -> dict[str, str]:
    """A stream's name is the last word of its path; the longer paths add words where two would be called alike."""
    words_of = {each.path: [words.snake(part) or "list" for part in each.segments if part != "{}"] for each in kept}
    lengths = dict.fromkeys(words_of, 1)
    for _ in range(6):
        names = {path: _name(parts[-lengths[path] :]) for path, parts in words_of.items()}
        for name in set(names.values()):
            alike = sorted((path for path in names if names[path] == name), key=lambda path: len(words_of[path]))
            is_plainest = len(alike) > 1 and len(words_of[alike[0]]) < len(words_of[alike[1]])
            for path in alike[is_plainest:] if len(alike) > 1 else ():
                lengths[path] += 1
    used: dict[str, int] = {}
    for path, name in names.items():
        used[name] = used.get(name, 0) + 1
        names[path] = name if used[name] == 1 else f"{name}_{used[name]}"
    return names


def _name(parts: Sequence[str]) -> str:
    joined = "_".join([*(words.singular(part) for part in parts[:-1]), parts[-1]])[:50].strip("_")
    return joined if joined[:1].isalpha() else f"list_{joined}"[:50]
