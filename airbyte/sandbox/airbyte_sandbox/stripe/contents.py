"""All collections of the API in one world, newest first as it lists them."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from airbyte_sandbox.schema import Record
from airbyte_sandbox.stripe.balance import balance_transactions
from airbyte_sandbox.stripe.coupons import coupon_records
from airbyte_sandbox.stripe.disputes import dispute_of
from airbyte_sandbox.stripe.intents import payment_intent
from airbyte_sandbox.stripe.payments import payment_streams
from airbyte_sandbox.stripe.payouts import payouts
from airbyte_sandbox.stripe.whole import (
    whole_charge,
    whole_customer,
    whole_invoice,
    whole_plan,
    whole_refund,
    whole_subscription,
)
from airbyte_sandbox.world import World

View = Callable[[Record], Record]


@dataclass(frozen=True)
class Collection:
    """The records of one stream, newest first, with the fields that lists are filtered by, and their places by id."""

    stream: str
    records: Sequence[Record]
    places: Mapping[str, int]
    view: View | None = None

    def shown(self, records: Sequence[Record]) -> list[Record]:
        """The records whole, as the API answers them: made for a page, as a large world would not fit into memory."""
        return [self.view(record) for record in records] if self.view else list(records)

    def get(self, key: str) -> Record | None:
        """The record of that id, whole."""
        place = self.places.get(key)
        return None if place is None else self.shown([self.records[place]])[0]


def collection(stream: str, records: Sequence[Record], view: View | None = None) -> Collection:
    """A collection of records that are in their order."""
    return Collection(stream, records, {record["id"]: place for place, record in enumerate(records)}, view)


@dataclass(frozen=True)
class Contents:
    """Every collection by its stream, and what paid a balance transaction out."""

    collections: Mapping[str, Collection]
    payout_of: Mapping[str, str]


@lru_cache(maxsize=4)
def contents(world: World) -> Contents:
    """Whatever the API lists on the world's last day; nobody may change a record."""
    streams = payment_streams(world)
    disputes = [found for charge in streams["charges"] if (found := dispute_of(world, charge))]
    transactions = list(balance_transactions(world, streams["charges"], streams["refunds"], disputes))
    moved = {found["id"]: found for found in transactions}
    paid = list(payouts(world, transactions))
    streams["disputes"] = [
        {**found, "balance_transactions": [moved[found["balance_transaction"]]]} for found in disputes
    ]
    streams["payment_intents"] = [_intended(charge) for charge in streams["charges"]]
    streams["payouts"] = [payout.record for payout in paid]
    streams["balance_transactions"] = transactions + [payout.transaction for payout in paid]
    streams["coupons"] = coupon_records(world)
    latest = {invoice["subscription"]: invoice["id"] for invoice in streams["invoices"]}
    streams["subscriptions"] = [
        whole_subscription(found, latest.get(found["id"])) for found in streams["subscriptions"]
    ]
    views = _views(streams)
    return Contents(
        {name: collection(name, _newest_first(found), views.get(name)) for name, found in streams.items()},
        {found: payout.record["id"] for payout in paid for found in (*payout.paid_out, payout.transaction["id"])},
    )


def _views(streams: Mapping[str, Sequence[Record]]) -> dict[str, View]:
    customers, charges, subscriptions = (
        {record["id"]: record for record in streams[name]} for name in ("customers", "charges", "subscriptions")
    )
    disputed = {dispute["charge"]: dispute for dispute in streams["disputes"]}
    billed = Counter(invoice["customer"] for invoice in streams["invoices"])
    return {
        "customers": lambda found: whole_customer(found, billed[found["id"]]),
        "plans": whole_plan,
        "invoices": lambda found: whole_invoice(
            found, subscriptions[found["subscription"]], customers[found["customer"]], charges
        ),
        "charges": lambda found: whole_charge(found, customers[found["customer"]], disputed.get(found["id"])),
        "refunds": whole_refund,
        "payment_intents": lambda found: payment_intent(charges[found["charge"]]),
    }


def _intended(charge: Record) -> Record:
    """As much of a payment intent as finds it; the rest is its charge's."""
    return {
        "id": charge["payment_intent"],
        "created": charge["created"],
        "customer": charge["customer"],
        "charge": charge["id"],
    }


def _newest_first(records: Iterable[Record]) -> tuple[Record, ...]:
    return tuple(sorted(records, key=lambda found: (found["created"], found["id"]), reverse=True))
