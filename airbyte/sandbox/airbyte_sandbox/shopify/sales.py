"""What the shop sells: orders day by day, each with its planned fate."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from random import Random

from airbyte_sandbox.anomalies import factor
from airbyte_sandbox.people import Person, known_before
from airbyte_sandbox.shopify.shelves import Article, articles
from airbyte_sandbox.world import World, moments, poisson

_ORDERS_PER_CUSTOMER = 0.16
_WEEK = (0.85, 0.8, 0.85, 0.95, 1.1, 1.3, 1.25)
_CUSTOMER_BASE, _ORDER_BASE = 6_100_000_000_000, 5_200_000_000_000


@dataclass(frozen=True)
class Standing:
    """What of an order's fate has happened by a moment."""

    shipped: datetime | None
    cancelled: datetime | None
    refunded: datetime | None

    @property
    def back(self) -> datetime | None:
        """When the money went back."""
        return self.cancelled or self.refunded


@dataclass(frozen=True)
class Order:
    """One order and its planned fate; what lies after the horizon does not show."""

    sequence: int
    person: Person
    lines: tuple[tuple[Article, int], ...]
    discount: float
    shipping: float
    placed_at: datetime
    shipped_at: datetime
    cancelled_at: datetime | None
    refunded_at: datetime | None

    @property
    def id(self) -> int:
        """The order's id; later orders have greater ones."""
        return _ORDER_BASE + self.sequence * 131_072

    @property
    def items_price(self) -> float:
        """The price of the lines before discount."""
        return round(sum(article.price * quantity for article, quantity in self.lines), 2)

    @property
    def subtotal(self) -> float:
        """The price of the lines after discount."""
        return round(self.items_price - self.discount, 2)

    @property
    def tax(self) -> float:
        """The tax on the subtotal, not contained in it."""
        return round(self.subtotal * self.person.country.tax, 2)

    @property
    def total(self) -> float:
        """What the customer pays, in the shop's currency."""
        return round(self.subtotal + self.tax + self.shipping, 2)

    def standing(self, horizon: datetime) -> Standing:
        """The fate until then; a cancelled order is neither shipped nor refunded later."""
        cancelled = self.cancelled_at if self.cancelled_at and self.cancelled_at <= horizon else None
        if self.cancelled_at:
            return Standing(None, cancelled, None)
        refunded = self.refunded_at if self.refunded_at and self.refunded_at <= horizon else None
        return Standing(self.shipped_at if self.shipped_at <= horizon else None, None, refunded)

    def updated_at(self, horizon: datetime) -> datetime:
        """The last time that something happened to it until then."""
        standing = self.standing(horizon)
        return max([self.placed_at, *(at for at in (standing.shipped, standing.back) if at)])


def customer_id(person: Person) -> int:
    """The person's id as a customer of the shop."""
    return _CUSTOMER_BASE + person.number * 32_768


@lru_cache(maxsize=4)
def orders(world: World) -> tuple[Order, ...]:
    """Every order, oldest first."""
    return tuple(_orders(world))


@lru_cache(maxsize=4)
def orders_by_id(world: World) -> Mapping[int, Order]:
    """The orders by their ids."""
    return {order.id: order for order in orders(world)}


@lru_cache(maxsize=4)
def orders_by_person(world: World) -> Mapping[int, Sequence[Order]]:
    """The orders of each person, by the person's number."""
    found: dict[int, list[Order]] = defaultdict(list)
    for order in orders(world):
        found[order.person.number].append(order)
    return dict(found)


def _orders(world: World) -> Iterator[Order]:
    sequence = 0
    for day in world.days():
        for order in _orders_of_day(world, day, sequence):
            sequence += 1
            yield order


def _orders_of_day(world: World, day: date, sequence: int) -> Iterator[Order]:
    shoppers = [person for person in known_before(world, day) if person.shops]
    if not shoppers:
        return
    dice = world.dice("orders", day)
    mean = len(shoppers) * _ORDERS_PER_CUSTOMER * _WEEK[day.weekday()] * world.growth(day)
    count = poisson(dice, mean * factor(world, "order_count", day))
    shelf = [article for article in articles(world) if article.since <= day]
    buyers = dice.choices(shoppers, weights=[person.loyalty for person in shoppers], k=count)
    for offset, (person, at) in enumerate(zip(buyers, moments(dice, day, count), strict=True)):
        yield basket(dice, person, at, shelf, sequence + offset)


def basket(dice: Random, person: Person, at: datetime, shelf: Sequence[Article], sequence: int) -> Order:
    """What somebody puts together at a moment, ordered or not."""
    chosen = dice.sample(shelf, k=dice.choice((1, 1, 1, 2, 2, 3)))
    lines = tuple((article, dice.choice((1, 1, 1, 2, 3))) for article in chosen)
    price = sum(article.price * quantity for article, quantity in lines)
    fate = dice.random()
    return Order(
        sequence=sequence,
        person=person,
        lines=lines,
        discount=round(price * 0.1, 2) if dice.random() < 0.15 else 0.0,
        shipping=0.0 if price > 60 else 5.9,
        placed_at=at,
        shipped_at=at + timedelta(seconds=dice.randrange(6 * 3600, 4 * 86_400)),
        cancelled_at=at + timedelta(seconds=dice.randrange(600, 5 * 3600)) if fate < 0.015 else None,
        refunded_at=at + timedelta(seconds=dice.randrange(5 * 86_400, 21 * 86_400)) if fate > 0.95 else None,
    )
