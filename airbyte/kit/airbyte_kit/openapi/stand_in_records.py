"""The records that a stand-in has: a dozen of each list, and of a parent's children more than a page, one or none."""

import zlib
from dataclasses import dataclass, field
from typing import Any

from airbyte_kit.openapi import filters, keys
from airbyte_kit.openapi.ancestry import Ancestry
from airbyte_kit.openapi.document import Json
from airbyte_kit.openapi.listings import Listing, find_listings
from airbyte_kit.openapi.shapes import Shapes
from airbyte_kit.openapi.stand_in_values import Values, unique, written_moment

PAGE = 3
_PER_PARENT = 100


@dataclass
class Shelf:
    """The records of one list under one parent."""

    listing: Listing
    records: list[Json]
    numbers: list[int]
    """Which each is, of all records of the list."""
    given: set[int] = field(default_factory=set)
    is_asked: bool = False


class Library:
    """All records of a document's lists; made when they are first asked for."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self.listings = find_listings(shapes).listings
        self.ancestry = Ancestry(shapes, self.listings)
        self._values = Values(shapes)
        self._shelves: dict[tuple[str, int], Shelf] = {}
        self._linked: dict[str, set[str]] = {}
        for each in self.listings:
            for above in self.ancestry.ancestors(each)[:1]:
                self._linked.setdefault(above.listing.path, set()).add(above.field)

    def shelf(self, listing: Listing, values: list[str]) -> Shelf | None:
        """The records at a path with these parameters; None where there is no such parent."""
        above = self.ancestry.ancestors(listing)
        if not above:
            return self._shelf(listing, 0, 0, [])
        parent = self.shelf(above[0].listing, values[:-1])
        found = [] if parent is None else [str(each.get(above[0].field)) for each in parent.records]
        if parent is None or values[-1] not in found:
            return None
        at = found.index(values[-1])
        return self._shelf(listing, parent.numbers[at], at, [parent.records[at].get(each.field) for each in above[:1]])

    def whole(self, listing: Listing) -> list[Shelf]:
        """The list under each of its parents."""
        above = self.ancestry.ancestors(listing)
        if not above:
            return [self._shelf(listing, 0, 0, [])]
        return [
            self._shelf(listing, number, at, [record.get(above[0].field)])
            for shelf in self.whole(above[0].listing)
            for at, (number, record) in enumerate(zip(shelf.numbers, shelf.records, strict=True))
        ]

    def forget(self) -> None:
        """Nothing was given out yet."""
        for shelf in self._shelves.values():
            shelf.given.clear()
            shelf.is_asked = False

    def _shelf(self, listing: Listing, parent: int, at: int, placed: list[Any]) -> Shelf:
        place = listing.path, parent
        if place not in self._shelves:
            count = self._count(listing, at)
            numbers = [parent * _PER_PARENT + each + 1 for each in range(count)]
            records = [self._record(listing, number, placed) for number in numbers]
            self._shelves[place] = Shelf(listing, records, numbers)
        return self._shelves[place]

    def _count(self, listing: Listing, at: int) -> int:
        if self.ancestry.ancestors(listing):
            return PAGE + 2 if at == 0 else at % 2
        # Some end with a full page, after which the next one is empty.
        return 4 * PAGE if zlib.crc32(listing.path.encode()) % 2 else 4 * PAGE + 1

    def _record(self, listing: Listing, number: int, placed: list[Any]) -> Json:
        properties = self._shapes.of(listing.item).properties
        made = self._values.of(listing.item, number, listing.noun)
        record: Json = made if isinstance(made, dict) else {}
        for name in {*self._linked.get(listing.path, ()), *filter(None, [keys.key_of(self._shapes, listing)])}:
            record[name] = unique(self._shapes.of(properties.get(name)), number, name)
        for each in filters.filters_of(self._shapes, listing):
            record[each.field] = written_moment(number, each.read)
        for above, value in zip(self.ancestry.ancestors(listing), placed, strict=False):
            held = keys.same_field(self._shapes, listing, above.name)
            if held and held != keys.key_of(self._shapes, listing):
                record[held] = value
        if not any(value is not None for value in record.values()):
            # An API may have such records, but a reader cannot tell whether it read them.
            record |= {name: self._values.of(schema, number, name, 1) for name, schema in list(properties.items())[:1]}
        return record
