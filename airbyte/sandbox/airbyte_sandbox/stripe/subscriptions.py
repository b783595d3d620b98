"""What the payment service sells by the month, and who subscribes to it for how long."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from airbyte_sandbox.people import Person
from airbyte_sandbox.schema import Record
from airbyte_sandbox.words import COUNTRIES
from airbyte_sandbox.world import World, moments, token

_SUBSCRIBING = 0.45
_LEAVING = 0.05
# name, description, price a month in dollars
_SOLD = (
    ("Starter", "For a person", 19),
    ("Team", "For a few people, by the seat", 49),
    ("Business", "For many people, with support", 199),
)


@dataclass(frozen=True)
class Subscription:
    """One person's subscription; `ends_at` is planned from the start and shows only when it has come."""

    id: str
    person: Person
    customer: str
    plan: Record
    quantity: int
    starts_at: datetime
    ends_at: datetime | None

    @property
    def amount(self) -> int:
        """What a period costs, in the currency's smallest units."""
        return int(self.plan["amount"]) * self.quantity

    def periods(self, horizon: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Begin and end of every month until the horizon or the end."""
        begins, last = self.starts_at, min(horizon, self.ends_at or horizon)
        while begins <= last:
            ends = _month_after(begins)
            yield begins, ends
            begins = ends

    def as_json(self, horizon: datetime) -> Record:
        """The subscription as the API shows it at the horizon."""
        *_, (begins, ends) = self.periods(horizon)
        gone = int(self.ends_at.timestamp()) if self.ends_at and self.ends_at <= horizon else None
        started = int(self.starts_at.timestamp())
        return {
            "id": self.id,
            "object": "subscription",
            "customer": self.customer,
            "status": "canceled" if gone else "active",
            "billing": "charge_automatically",
            "created": started,
            "start_date": started,
            "current_period_start": int(begins.timestamp()),
            "current_period_end": int(ends.timestamp()),
            "quantity": self.quantity,
            "days_until_due": None,
            "billing_cycle_anchor": started,
            "canceled_at": gone,
            "ended_at": gone,
            "trial_end": None,
            "cancel_at_period_end": False,
            "livemode": False,
            "plan": self.plan,
            "items": {
                "object": "list",
                "url": f"/v1/subscription_items?subscription={self.id}",
                "has_more": False,
                "total_count": 1,
                "data": [{"object": "subscription_item", "subscription": self.id, "quantity": self.quantity}],
            },
            "metadata": {},
        }


def product_records(world: World) -> list[Record]:
    """The products; they were there before anyone came."""
    return [_product(world, name, description) for name, description, _ in _SOLD]


def plan_records(world: World) -> list[Record]:
    """A monthly plan for every product and currency."""
    return [_plan(world, name, currency) for name, _, _ in _SOLD for currency in sorted(_currencies())]


def subscription_of(world: World, person: Person, customer: str) -> Subscription | None:
    """The person's subscription, if there is one by the horizon."""
    dice = world.dice("subscription", person.number)
    if dice.random() >= _SUBSCRIBING:
        return None
    day = person.joined_at.date() + timedelta(days=1 + dice.randrange(5))
    if day.day > 28:
        day = _month_after(datetime(day.year, day.month, 1, tzinfo=world.horizon.tzinfo)).date()
    starts_at = moments(dice, day, 1)[0]
    if starts_at > world.horizon:
        return None
    name = dice.choices([sold[0] for sold in _SOLD], weights=(6, 3, 1))[0]
    months = next((month for month in range(1, 60) if dice.random() < _LEAVING), None)
    return Subscription(
        id=token(dice, "sub_1", 23),
        person=person,
        customer=customer,
        plan=_plan(world, name, person.country.currency),
        quantity=dice.randrange(2, 8) if name == "Team" else 1,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(days=30 * months - dice.randrange(25)) if months else None,
    )


def _currencies() -> dict[str, tuple[int, float]]:
    return {country.currency: (country.minor_units, country.per_usd) for country in COUNTRIES}


def _product(world: World, name: str, description: str) -> Record:
    created = _long_ago(world)
    return {
        "id": token(world.dice("product", name), "prod_", 14),
        "object": "product",
        "name": name,
        "description": description,
        "type": "service",
        "unit_label": "seat" if name == "Team" else None,
        "statement_descriptor": None,
        "url": None,
        "created": created,
        "updated": created,
        "active": True,
        "livemode": False,
        "shippable": None,
        "images": [],
        "metadata": {},
    }


def _plan(world: World, name: str, currency: str) -> Record:
    minor_units, per_usd = _currencies()[currency]
    price = next(price for sold, _, price in _SOLD if sold == name)
    return {
        "id": token(world.dice("plan", name, currency), "price_1", 23),
        "object": "plan",
        "nickname": f"{name} monthly {currency.upper()}",
        "product": token(world.dice("product", name), "prod_", 14),
        "interval": "month",
        "currency": currency,
        "billing_scheme": "per_unit",
        "usage_type": "licensed",
        "amount": round(price * per_usd) * minor_units,
        "interval_count": 1,
        "created": _long_ago(world),
        "active": True,
        "livemode": False,
        "metadata": {},
    }


def _long_ago(world: World) -> int:
    return int((datetime(world.start.year - 2, 1, 15, 9, tzinfo=world.horizon.tzinfo)).timestamp())


def _month_after(at: datetime) -> datetime:
    """The same day and time a month later; only for days every month has."""
    return at.replace(year=at.year + at.month // 12, month=at.month % 12 + 1)
