"""What went to the bank: on every weekday and for every currency, all that had become available."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from airbyte_sandbox.schema import Record
from airbyte_sandbox.stripe.balance import transaction
from airbyte_sandbox.world import World, moments, token


@dataclass(frozen=True)
class Payout:
    """A payout, its own balance transaction, and the ids of the transactions it paid out."""

    record: Record
    transaction: Record
    paid_out: tuple[str, ...]


def payouts(world: World, transactions: Sequence[Record]) -> Iterator[Payout]:
    """The payouts of a world's days; where refunds outweigh, the currency waits for the next."""
    due: defaultdict[date, list[Record]] = defaultdict(list)
    for found in transactions:
        due[datetime.fromtimestamp(found["available_on"], UTC).date()].append(found)
    waiting: defaultdict[str, list[Record]] = defaultdict(list)
    for day in world.days():
        for found in due[day]:
            waiting[found["currency"]].append(found)
        if day.weekday() >= 5:
            continue
        for currency, ready in sorted(waiting.items()):
            amount = sum(found["net"] for found in ready)
            if amount > 0:
                yield _payout(world, day, currency, amount, tuple(found["id"] for found in ready))
                waiting[currency] = []


def _payout(world: World, day: date, currency: str, amount: int, paid_out: tuple[str, ...]) -> Payout:
    dice = world.dice("payout", day, currency)
    arrival = int(datetime.combine(day, time(), UTC).timestamp())
    record: Record = {
        "id": token(dice, "po_1", 23),
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": arrival,
        "automatic": True,
        "balance_transaction": token(dice, "txn_1", 23),
        "created": int(moments(dice, day, 1)[0].timestamp()),
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "destination": token(world.dice("bank account", currency), "ba_1", 23),
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "reconciliation_status": "completed",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "paid",
        "type": "bank_account",
    }
    return Payout(record, transaction(world, record, "payout", "payout", (-amount, 0), arrival), paid_out)
