"""Which list gives the values that another list's path asks for."""

from collections.abc import Sequence
from dataclasses import dataclass

from airbyte_kit.openapi import words
from airbyte_kit.openapi.keys import link_of
from airbyte_kit.openapi.listings import Listing
from airbyte_kit.openapi.shapes import Shapes

_MOST_ANCESTORS = 3


@dataclass(frozen=True, kw_only=True)
class Parent:
    """The list that one of a path's parameters comes from."""

    listing: Listing
    placeholder: str
    field: str
    is_guess: bool

    @property
    def name(self) -> str:
        """What the value is called: `project_id`, also where the path says `{id}` or `{project}`."""
        name, noun = words.snake(self.placeholder) or "key", words.singular(self.listing.noun)
        if "_" in name:
            return name
        return f"{noun}_{words.snake(self.field)}" if name == noun else f"{noun}_{name}"


class Ancestry:
    """Of the lists of one document."""

    def __init__(self, shapes: Shapes, found: Sequence[Listing]) -> None:
        self._shapes = shapes
        self._by_segments = {each.segments: each for each in reversed(found)}
        self._known: dict[str, tuple[Parent, ...]] = {}

    def ancestors(self, listing: Listing) -> tuple[Parent, ...]:
        """Its parent, that one's parent and so on."""
        if listing.path not in self._known:
            parent = self._parent(listing)
            above = (parent, *self.ancestors(parent.listing)) if parent else ()
            self._known[listing.path] = above if len(above) <= _MOST_ANCESTORS else ()
        return self._known[listing.path]

    def _parent(self, listing: Listing) -> Parent | None:
        """Of the last parameter that a list is found for; the parameters before it are that list's own."""
        segments = listing.segments
        at = max((number for number, part in enumerate(segments) if part == "{}"), default=None)
        parent = None if at is None else self._by_segments.get(segments[:at])
        # A part of a path such as {a}-{b} is two parameters, of which none can be told.
        if parent is None or "{" in "".join(segments).replace("{}", ""):
            return None
        placeholder = listing.placeholders[-1]
        link = link_of(self._shapes, parent, placeholder)
        return Parent(listing=parent, placeholder=placeholder, field=link[0], is_guess=link[1]) if link else None
