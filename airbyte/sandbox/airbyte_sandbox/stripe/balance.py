"""What moved the account's balance: a transaction for every paid charge, refund and dispute, in its own currency."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta

from airbyte_sandbox.schema import Record
from airbyte_sandbox.words import COUNTRIES
from airbyte_sandbox.world import World

_SETTLING = timedelta(days=2)
_CENTS_A_CHARGE = 30
_CENTS_A_DISPUTE = 1500


def balance_transactions(
    world: World, charges: Sequence[Record], refunds: Sequence[Record], disputes: Sequence[Record]
) -> Iterator[Record]:
    """One for each that moved money, with what the service keeps; nothing is converted."""
    for charge in charges:
        if charge["paid"]:
            amount, currency = charge["amount"], charge["currency"]
            fee = (amount * 29 + 500) // 1000 + _from_cents(_CENTS_A_CHARGE, currency)
            yield _transaction(world, charge, "charge", amount, fee, "Stripe processing fees")
    for refund in refunds:
        yield _transaction(world, refund, "refund", -refund["amount"], 0, "")
    for dispute in disputes:
        fee = _from_cents(_CENTS_A_DISPUTE, dispute["currency"])
        yield _transaction(world, dispute, "adjustment", -dispute["amount"], fee, "Dispute fee")


def transaction(
    world: World, source: Record, kind: str, category: str, amounts: tuple[int, int], available_on: int
) -> Record:
    """A balance transaction of a source, of (amount, fee); its net is what the balance grew by."""
    amount, fee = amounts
    return {
        "id": source["balance_transaction"],
        "object": "balance_transaction",
        "amount": amount,
        "available_on": available_on,
        "created": source["created"],
        "currency": source["currency"],
        "description": source.get("description"),
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [],
        "net": amount - fee,
        "reporting_category": category,
        "source": source["id"],
        "status": "available" if available_on <= world.horizon.timestamp() else "pending",
        "type": kind,
    }


def _transaction(world: World, source: Record, kind: str, amount: int, fee: int, fee_name: str) -> Record:
    day = datetime.fromtimestamp(source["created"], UTC).date()
    settles = int((datetime.combine(day, time(), UTC) + _SETTLING).timestamp())
    found = transaction(world, source, kind, "dispute" if kind == "adjustment" else kind, (amount, fee), settles)
    if kind == "adjustment":
        found["description"] = f"Chargeback withdrawal for {source['charge']}"
    if fee:
        found["fee_details"] = [
            {
                "amount": fee,
                "application": None,
                "currency": source["currency"],
                "description": fee_name,
                "type": "stripe_fee",
            }
        ]
    return found


def _from_cents(cents: int, currency: str) -> int:
    """That many cents of a dollar in the currency's smallest units."""
    country = next(country for country in COUNTRIES if country.currency == currency)
    return round(cents * country.per_usd * country.minor_units / 100)
