"""Stripe's lists: newest first, a page from one record on, in either direction."""

from collections.abc import Iterable, Sequence
from itertools import islice

from airbyte_sandbox.server.api import Call, Reply
from airbyte_sandbox.stripe.contents import Collection
from airbyte_sandbox.stripe.errors import invalid
from airbyte_sandbox.stripe.filters import Test, integer

_DEFAULT, _MOST = 10, 100


def listed(call: Call, collection: Collection, tests: Sequence[Test] = ()) -> Reply:
    """The page that is asked for, of the records that pass all tests; a cursor may be any record of the collection."""
    limit = _limit(call)
    after, before = call.one("starting_after"), call.one("ending_before")
    if after is not None and before is not None:
        message = "Received both starting_after and ending_before parameters. Please pass in only one."
        raise invalid(message, "starting_after")
    if before is not None:
        places: Iterable[int] = range(_place(collection, before, "ending_before") - 1, -1, -1)
    else:
        first = 0 if after is None else _place(collection, after, "starting_after") + 1
        places = range(first, len(collection.records))
    records = (collection.records[place] for place in places)
    passing = (record for record in records if all(test(record) for test in tests))
    found = list(islice(passing, limit + 1))
    page = found[:limit] if before is None else found[:limit][::-1]
    data = call.account.drifted("stripe", collection.stream, collection.shown(page))
    return Reply(body={"object": "list", "url": call.path, "has_more": len(found) > limit, "data": data})


def _limit(call: Call) -> int:
    if call.one("limit") is None:
        return _DEFAULT
    limit = integer(call, "limit")
    if limit < 1:
        raise invalid("This value must be greater than or equal to 1.", "limit", "parameter_invalid_integer")
    if limit > _MOST:
        raise invalid(f"This value must be less than or equal to {_MOST}.", "limit", "parameter_invalid_integer")
    return limit


def _place(collection: Collection, key: str, name: str) -> int:
    place = collection.places.get(key)
    if place is None:
        raise invalid(f"No such object: '{key}'", name, "resource_missing")
    return place
