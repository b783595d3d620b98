"""What of a stream a person must look at."""

from collections.abc import Iterator

from airbyte_kit.openapi import paging
from airbyte_kit.openapi.choosing import Choice
from airbyte_kit.openapi.filters import Filter


def guesses(
    choice: Choice, key: str | None, found: Filter | None, signals: paging.Signals, way: paging.Way
) -> Iterator[str]:
    """A clause for each decision about a stream that the document does not settle."""
    listing = choice.listing
    if listing.guessed:
        place = f"`{'.'.join(listing.records)}`" if listing.records else "the answer itself"
        yield f"the records are taken from {place}, which the document does not make certain"
    if key is None:
        yield "no field looks like a key: say `primary_key`, or rows cannot be deduplicated"
    elif not _speaks_for_itself(key):
        yield f"`{key}` is taken for the key"
    if choice.parent:
        doubt = ", which is not what the parameter is called" if choice.parent.is_guess else ""
        yield f"`{choice.parent.placeholder}` of the path is taken from `{choice.parent.field}` of the parent{doubt}"
    if found and found.is_guess:
        yield f"`{found.parameter}` is taken to ask for `{found.field}`"
    if found and found.is_exclusive:
        yield f"`{found.parameter}` may leave out records of the very moment it names"
    if found:
        yield f"`{found.parameter}` is taken to find everything that `{found.field}` says, also in pages read later"
    yield from _paging_guesses(signals, way)


def _speaks_for_itself(key: str) -> bool:
    """Whether a key's name alone speaks for it."""
    return key.lower() in ("id", "uuid", "guid", "gid", "sid")


def _paging_guesses(signals: paging.Signals, way: paging.Way) -> Iterator[str]:
    if way in ("offset", "page") and signals.size and signals.size.number("maximum") is None:
        yield f"a page is full with {signals.page_size} records: the document says no most for `{signals.size.name}`"
    if way in ("offset", "page") and signals.next_cursor and signals.cursor:
        yield f"`{signals.cursor.name}` would page by a token too; it is not used"
    if (
        way == "page"
        and signals.page
        and signals.page.number("default") is None
        and signals.page.number("minimum") is None
    ):
        yield f"`{signals.page.name}` is taken to begin with 1"
    if way == "none" and (signals.size or signals.cursor or signals.last_record):
        yield "it has a parameter for pages and none was understood: only the first page is read"
