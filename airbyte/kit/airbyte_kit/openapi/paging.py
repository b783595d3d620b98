"""How a list is paged: what its parameters and its answer offer, and which of that is used."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from airbyte_kit.openapi import words
from airbyte_kit.openapi.listings import Listing
from airbyte_kit.openapi.parameters import Parameter, of_query
from airbyte_kit.openapi.shapes import Shape, Shapes

Way = Literal["link", "header", "cursor", "last_record", "offset", "page", "none"]
Place = tuple[str, ...]
_DEEPEST = 4
_USUAL_SIZE = 100
_INNER = frozenset(
    ("meta", "metadata", "pagination", "paging", "page", "pageinfo", "links", "link", "cursor", "next", "nextpage")
) | {"responsemetadata"}


@dataclass(frozen=True)
class Signals:
    """Everything that speaks of pages."""

    size: Parameter | None = None
    page: Parameter | None = None
    offset: Parameter | None = None
    cursor: Parameter | None = None
    last_record: Parameter | None = None
    next_link: Place | None = None
    next_cursor: Place | None = None
    has_more: Place | None = None
    is_end: Place | None = None
    total: Place | None = None
    has_header: bool = False

    @property
    def first_page(self) -> int:
        """The number of the first page: 1 unless the document says 0."""
        if self.page is None:
            return 1
        said = [self.page.number("default"), self.page.number("minimum")]
        return next((number for number in said if number in (0, 1)), 1)

    @property
    def page_size(self) -> int:
        """How many records to ask for: a hundred, or the most that the document allows."""
        if self.size is None:
            return _USUAL_SIZE
        most = self.size.number("maximum")
        usual = self.size.number("default")
        # Where no most is said, a server that gives fewer than it was asked for would look like the last page.
        return max(1, min(_USUAL_SIZE, most if most is not None else usual or _USUAL_SIZE))


def signals_of(shapes: Shapes, listing: Listing) -> Signals:
    """What the list's parameters and answer say of pages."""
    query = of_query(listing.parameters)
    fields = list(fields_of(shapes, listing))
    cursor = _named(query, words.CURSORS, _is_token)
    links = [place for place, shape in fields if is_link(place, shape)]
    if cursor is None:
        # Without a parameter that takes it, what is called `next` can only be an address.
        links += [place for place, shape in fields if place[-1].lower() == "next" and shape.types == {"string"}]
    return Signals(
        size=_named(query, words.SIZES, _is_number),
        page=_named(query, words.PAGES, _is_number),
        offset=_named(query, words.OFFSETS, _is_number),
        cursor=cursor,
        last_record=_named(query, words.LAST_RECORDS, lambda each: each.shape.is_scalar),
        next_link=next(iter(links), None),
        next_cursor=next((place for place, shape in fields if place not in links and _is_cursor(place, shape)), None),
        has_more=_first(fields, words.HAVE_MORE, "boolean"),
        is_end=_first(fields, words.ENDS, "boolean"),
        total=_first(fields, words.TOTALS, "integer"),
        has_header=any(name.lower() == "link" for name in listing.headers),
    )


def fields_of(shapes: Shapes, listing: Listing) -> Iterator[tuple[Place, Shape]]:
    """What the answer has around the records, outer objects before what is in them."""
    return _fields(shapes, listing.answer, (), listing.records)


def way_of(signals: Signals) -> Way:
    """The way that depends least on guesses: what the answer itself names comes first."""
    numbered = signals.offset or signals.page
    if signals.next_link:
        return "link"
    # A list with both may answer in the old way until it is asked for a cursor, and then names no next one.
    if signals.next_cursor and signals.cursor and (numbered is None or numbered.deprecated):
        return "cursor"
    if signals.has_header:
        return "header"
    if signals.last_record and signals.has_more:
        return "last_record"
    if signals.offset:
        return "offset"
    return "page" if signals.page else "none"


def _named(query: list[Parameter], names: frozenset[str], fits: Callable[[Parameter], bool]) -> Parameter | None:
    fitting = [
        each for each in query if words.squeezed(each.name) in names and fits(each) and words.is_plain(each.name)
    ]
    # `count` may ask for a total and `first` for the newest; the plainer names come first.
    return min(fitting, key=lambda each: (each.deprecated, "page" not in each.name.lower()), default=None)


def _is_number(parameter: Parameter) -> bool:
    types = parameter.shape.types
    return not types or bool(types & {"integer", "number"})


def _is_token(parameter: Parameter) -> bool:
    shape = parameter.shape
    if "string" not in shape.types and words.squeezed(parameter.name) in words.PAGES | words.OFFSETS:
        return False
    return shape.is_scalar and shape.format not in ("date-time", "date")


def _fields(shapes: Shapes, shape: Shape, place: Place, records: Place) -> Iterator[tuple[Place, Shape]]:
    for name, schema in shape.properties.items():
        here = (*place, name)
        if here == records or not words.is_plain(name):
            continue
        inner = shapes.of(schema)
        yield here, inner
        on_the_way = here == records[: len(here)]
        if inner.properties and len(here) < _DEEPEST and (on_the_way or words.squeezed(name) in _INNER):
            yield from _fields(shapes, inner, here, records)


def is_link(place: Place, shape: Shape) -> bool:
    """Whether a field is the next page's address: called so, or said to be one."""
    if shape.types != {"string"}:
        return False
    name, around = words.squeezed(place[-1]), [words.squeezed(part) for part in place[:-1]]
    if name == "href":
        return bool(around) and around[-1] in words.NEXT_LINKS
    if name not in words.NEXT_LINKS and name not in ("link", "url"):
        return False
    if name in ("link", "url"):
        return bool(around) and around[-1] == "next"
    is_called = any(part in name for part in ("url", "uri", "link", "href")) or {"links", "link"} & set(around)
    return bool(is_called) or shape.format in ("uri", "url", "uri-reference") or _says_address(shape)


def _says_address(shape: Shape) -> bool:
    example = shape.facts.get("example")
    about = str(shape.facts.get("description") or "").lower()
    return (isinstance(example, str) and example.startswith(("http", "/"))) or "url" in about.split()


def _is_cursor(place: Place, shape: Shape) -> bool:
    name, around = words.squeezed(place[-1]), [words.squeezed(part) for part in place[:-1]]
    if not shape.types or not shape.types <= {"string", "integer", "number"} or shape.format in ("date-time", "date"):
        return False
    return name in words.NEXT_CURSORS or (name == "cursor" and "next" in around)


def _first(fields: list[tuple[Place, Shape]], names: frozenset[str], kind: str) -> Place | None:
    return next((place for place, shape in fields if words.squeezed(place[-1]) in names and kind in shape.types), None)
