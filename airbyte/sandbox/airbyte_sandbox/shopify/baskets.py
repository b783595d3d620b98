"""What was put together but not bought in the shop window: draft orders of companies, and checkouts that were left."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from airbyte_sandbox.people import known_before
from airbyte_sandbox.shopify.sales import Order, basket, orders
from airbyte_sandbox.shopify.shelves import articles
from airbyte_sandbox.world import World, moments, poisson

_DRAFT_BASE, _CHECKOUT_BASE = 1_140_000_000_000, 36_500_000_000_000
_DRAFTS_A_DAY, _CHECKOUTS_PER_CUSTOMER = 0.25, 0.05


@dataclass(frozen=True)
class Draft:
    """An order that the shop writes for a company."""

    number: int
    basket: Order
    created_at: datetime
    invoiced_at: datetime | None
    order: Order | None
    """What it became; then the basket is the order's."""

    @property
    def id(self) -> int:
        """Later drafts have greater ones."""
        return _DRAFT_BASE + self.number * 32_768

    def updated_at(self, horizon: datetime) -> datetime:
        """The last time that something happened to it until then."""
        if self.order:
            return self.order.placed_at
        return self.invoiced_at if self.invoiced_at and self.invoiced_at <= horizon else self.created_at


@dataclass(frozen=True)
class Checkout:
    """A basket that somebody left before paying; some are closed by the shop after days."""

    number: int
    basket: Order
    left_at: datetime
    closed_at: datetime | None

    @property
    def id(self) -> int:
        """Later checkouts have greater ones."""
        return _CHECKOUT_BASE + self.number * 32_768

    @property
    def created_at(self) -> datetime:
        """When it was begun."""
        return self.basket.placed_at

    def updated_at(self, horizon: datetime) -> datetime:
        """The last time that something happened to it until then."""
        return max(at for at in (self.created_at, self.left_at, self.closed_at) if at and at <= horizon)


@lru_cache(maxsize=4)
def drafts(world: World) -> tuple[Draft, ...]:
    """Every draft order, oldest first."""
    found = sorted([*_ordered(world), *_offered(world)], key=lambda draft: draft.created_at)
    return tuple(
        Draft(number, draft.basket, draft.created_at, draft.invoiced_at, draft.order)
        for number, draft in enumerate(found, start=1)
    )


@lru_cache(maxsize=4)
def ordered_drafts(world: World) -> dict[int, Draft]:
    """The drafts that became orders, by the order's sequence."""
    return {draft.order.sequence: draft for draft in drafts(world) if draft.order}


@lru_cache(maxsize=4)
def checkouts(world: World) -> tuple[Checkout, ...]:
    """Every checkout that was left, oldest first."""
    return tuple(
        Checkout(number, found, *_end_of_checkout(world, number, found))
        for number, found in enumerate(_left(world), start=1)
    )


def _ordered(world: World) -> Iterator[Draft]:
    """One of twelve orders of a company began as a draft on the same day."""
    for order in orders(world):
        dice = world.dice("draft", order.sequence)
        if order.person.company and dice.random() < 1 / 12:
            midnight = datetime.combine(order.placed_at.date(), time(), UTC)
            earlier = order.placed_at - timedelta(seconds=dice.randrange(18_000))
            yield Draft(0, order, max(midnight, earlier), None, order)


def _offered(world: World) -> Iterator[Draft]:
    """Offers that nobody took up; half of them are sent as an invoice a day or two later."""
    for day in world.days():
        for found in _baskets(world, "offers", day, _DRAFTS_A_DAY, companies=True):
            dice = world.dice("offer", found.placed_at)
            later = found.placed_at + timedelta(seconds=dice.randrange(3600, 2 * 86_400))
            yield Draft(0, found, found.placed_at, later if dice.random() < 0.5 else None, None)


def _left(world: World) -> Iterator[Order]:
    for day in world.days():
        shoppers = sum(person.shops for person in known_before(world, day))
        yield from _baskets(world, "checkouts", day, shoppers * _CHECKOUTS_PER_CUSTOMER, companies=False)


def _baskets(world: World, kind: str, day: date, mean: float, *, companies: bool) -> Iterator[Order]:
    people = [found for found in known_before(world, day) if found.shops and (found.company or not companies)]
    dice = world.dice(kind, day)
    shelf = [article for article in articles(world) if article.since <= day]
    for at in moments(dice, day, poisson(dice, mean) if people else 0):
        yield basket(dice, dice.choice(people), at, shelf, 0)


def _end_of_checkout(world: World, number: int, found: Order) -> tuple[datetime, datetime | None]:
    dice = world.dice("checkout", number)
    left = found.placed_at + timedelta(seconds=dice.randrange(60, 1200))
    return left, left + timedelta(hours=dice.randrange(20, 72)) if dice.random() < 0.25 else None
