"""The payment service: customers, what they subscribe to, what they are charged, and what they get back."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random

from airbyte_sandbox.anomalies import factor
from airbyte_sandbox.people import Person, known_before, population
from airbyte_sandbox.schema import Record
from airbyte_sandbox.stripe.subscriptions import Subscription, plan_records, product_records, subscription_of
from airbyte_sandbox.world import World, moments, poisson, token

_CHARGES_PER_CUSTOMER = 0.2
_WEEK = (1.1, 1.15, 1.15, 1.1, 1.05, 0.75, 0.7)
_FAILING = 0.06
_DECLINES = (
    ("card_declined", "Your card was declined."),
    ("insufficient_funds", "Your card has insufficient funds."),
    ("expired_card", "Your card has expired."),
)
_REASONS = ("requested_by_customer", "duplicate", "fraudulent")


def payment_streams(world: World) -> dict[str, list[Record]]:
    """Every stream of the payment service as it is on the world's last day, oldest record first."""
    payers = [person for person in population(world) if person.pays]
    subscriptions = [
        found for person in payers if (found := subscription_of(world, person, customer_id(world, person)))
    ]
    invoices, charges = [], []
    for subscription in subscriptions:
        for invoice, charge in _cycles(world, subscription):
            invoices.append(invoice)
            charges.append(charge)
    charges += [charge for day in world.days() for charge in _purchases(world, day)]
    refunds = [refund for charge in charges if (refund := _refund(world, charge))]
    streams = {
        "customers": [_customer(world, person) for person in payers],
        "charges": charges,
        "refunds": refunds,
        "products": product_records(world),
        "plans": plan_records(world),
        "subscriptions": [subscription.as_json(world.horizon) for subscription in subscriptions],
        "invoices": invoices,
    }
    return {
        name: sorted(records, key=lambda found: (found["created"], found["id"])) for name, records in streams.items()
    }


def customer_id(world: World, person: Person) -> str:
    """The person's id at the payment service."""
    return token(world.dice("customer", person.number), "cus_", 14)


def _customer(world: World, person: Person) -> Record:
    dice = world.dice("customer record", person.number)
    return {
        "id": customer_id(world, person),
        "object": "customer",
        "name": person.name,
        "email": person.email_in_payments,
        "phone": person.phone,
        "description": person.company,
        "currency": person.country.currency,
        "invoice_prefix": token(dice, "", 8, "0123456789ABCDEF"),
        "tax_exempt": "none",
        "created": int(person.joined_at.timestamp()),
        "balance": 0,
        "delinquent": False,
        "livemode": False,
        "address": {
            "city": person.city,
            "country": person.country.code,
            "line1": person.street,
            "line2": None,
            "postal_code": person.postal_code,
            "state": None,
        },
        "preferred_locales": [],
        "metadata": {},
    }


def _cycles(world: World, subscription: Subscription) -> Iterator[tuple[Record, Record]]:
    """One invoice and its charge for every paid period that began in the world's days."""
    for number, (begins, ends) in enumerate(subscription.periods(world.horizon), start=1):
        if begins.date() < world.start:
            continue
        dice = world.dice("invoice", subscription.id, number)
        amount = subscription.amount
        charge = _charge(world, dice, subscription.person, begins, amount, "Subscription update")
        invoice_id = token(dice, "in_1", 23)
        charge["invoice"] = invoice_id
        yield _invoice(subscription, charge, invoice_id, number, begins, ends), charge


def _invoice(
    subscription: Subscription, charge: Record, invoice_id: str, number: int, begins: datetime, ends: datetime
) -> Record:
    paid, amount, created = charge["paid"], charge["amount"], charge["created"]
    return {
        "id": invoice_id,
        "object": "invoice",
        "customer": charge["customer"],
        "subscription": subscription.id,
        "charge": charge["id"],
        "number": f"{subscription.id[-8:].upper()}-{number:04}",
        "currency": charge["currency"],
        "status": "paid" if paid else "open",
        "billing_reason": "subscription_create" if number == 1 else "subscription_cycle",
        "description": None,
        "created": created,
        "amount_due": amount,
        "amount_paid": amount if paid else 0,
        "amount_remaining": 0 if paid else amount,
        "attempt_count": 1,
        "subtotal": amount,
        "tax": None,
        "total": amount,
        "starting_balance": 0,
        "ending_balance": 0,
        "period_start": int(begins.timestamp()),
        "period_end": int(ends.timestamp()),
        "due_date": None,
        "attempted": True,
        "paid": paid,
        "livemode": False,
        "auto_advance": not paid,
        "status_transitions": {
            "finalized_at": created,
            "marked_uncollectible_at": None,
            "paid_at": created if paid else None,
            "voided_at": None,
        },
        "metadata": {},
    }


def _purchases(world: World, day: date) -> Iterator[Record]:
    """The charges of a day that no subscription asked for."""
    payers = [person for person in known_before(world, day) if person.pays]
    if not payers:
        return
    dice = world.dice("purchases", day)
    mean = len(payers) * _CHARGES_PER_CUSTOMER * _WEEK[day.weekday()] * world.growth(day)
    count = poisson(dice, mean * factor(world, "payment_count", day))
    buyers = dice.choices(payers, weights=[person.loyalty for person in payers], k=count)
    for person, at in zip(buyers, moments(dice, day, count), strict=True):
        dollars = min(max(dice.lognormvariate(3.6, 0.7), 3.0), 900.0)
        amount = round(dollars * person.country.per_usd) * person.country.minor_units
        cents = dice.choice((0, 50, 90, 99)) if person.country.minor_units > 1 else 0
        yield _charge(world, dice, person, at, amount + cents, "Usage")


def _charge(world: World, dice: Random, person: Person, at: datetime, amount: int, description: str) -> Record:
    fails = dice.random() < min(_FAILING * factor(world, "failed_payment_count", at.date()), 0.9)
    code, message = dice.choice(_DECLINES) if fails else (None, None)
    charge: Record = {
        "id": token(dice, "ch_3", 23),
        "object": "charge",
        "customer": customer_id(world, person),
        "invoice": None,
        "payment_intent": token(dice, "pi_3", 23),
        "balance_transaction": None if fails else token(dice, "txn_3", 23),
        "currency": person.country.currency,
        "status": "failed" if fails else "succeeded",
        "description": description,
        "failure_code": code,
        "failure_message": message,
        "receipt_email": person.email_in_payments,
        "statement_descriptor": None,
        "dispute": None,
        "amount": amount,
        "amount_refunded": 0,
        "created": int(at.timestamp()),
        "paid": not fails,
        "captured": not fails,
        "refunded": False,
        "livemode": False,
        "outcome": {
            "type": "issuer_declined" if fails else "authorized",
            "seller_message": "The bank declined the payment." if fails else "Payment complete.",
            "reason": code,
            "risk_level": "normal",
            "network_status": "declined_by_network" if fails else "approved_by_network",
            "risk_score": dice.randrange(1, 60),
        },
        "payment_method_details": {
            "type": "card",
            "card": {
                "brand": dice.choice(("visa", "mastercard", "amex")),
                "country": person.country.code,
                "funding": "credit",
                "last4": f"{dice.randrange(10_000):04}",
                "exp_month": dice.randrange(1, 13),
                "exp_year": world.start.year + dice.randrange(1, 5),
            },
        },
        "metadata": {},
    }
    _take_back(dice, charge)
    return charge


def _take_back(dice: Random, charge: Record) -> None:
    """One charge in twenty is refunded, one of three of these in part; always on its day (see the package)."""
    if charge["paid"] and dice.random() < 0.05:
        part = dice.choice((1.0, 1.0, 0.5))
        charge["amount_refunded"] = int(charge["amount"] * part)
        charge["refunded"] = part == 1.0


def _refund(world: World, charge: Record) -> Record | None:
    if not charge["amount_refunded"]:
        return None
    dice = world.dice("refund", charge["id"])
    asked = datetime.fromtimestamp(charge["created"], world.horizon.tzinfo)
    midnight = datetime.combine(asked.date(), time(), asked.tzinfo) + timedelta(days=1)
    return {
        "id": token(dice, "re_3", 23),
        "object": "refund",
        "charge": charge["id"],
        "payment_intent": charge["payment_intent"],
        "balance_transaction": token(dice, "txn_3", 23),
        "currency": charge["currency"],
        "reason": dice.choice(_REASONS),
        "status": "succeeded",
        "receipt_number": None,
        "amount": charge["amount_refunded"],
        "created": dice.randrange(charge["created"], int(midnight.timestamp())),
        "metadata": {},
    }
