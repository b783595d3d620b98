"""Visits of the site and the shop: one that ends in each sign-up and each order, and many that come to nothing."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import accumulate
from random import Random

from airbyte_sandbox.ga4 import pages
from airbyte_sandbox.ga4.pages import Page
from airbyte_sandbox.ga4.visitors import Visitor, regular, stranger, visitor
from airbyte_sandbox.people import Person, population
from airbyte_sandbox.shopify.sales import Order, orders
from airbyte_sandbox.world import World, poisson

# Visits of a day: 90 with 60 customers; more slowly than they, so that a large world stays small enough to hold.
_VISITS, _SLOWER = 4.2, 0.75
_WEEK = (1.15, 1.2, 1.15, 1.1, 1.0, 0.75, 0.7)
_BOUNCING = 0.42
# source, medium, channel group as Google Analytics names it, and how many of a hundred visits come from there
_SOURCES = (
    ("(direct)", "(none)", "Direct", 30), ("google", "organic", "Organic Search", 29),
    ("google", "cpc", "Paid Search", 11), ("bing", "organic", "Organic Search", 5), ("newsletter", "email", "Email", 9),
    ("github.com", "referral", "Referral", 6), ("linkedin.com", "referral", "Organic Social", 6),
    ("partner.example", "referral", "Referral", 4),
)  # fmt: skip
_WEIGHTS = tuple(accumulate(weight for *_, weight in _SOURCES))


@dataclass(frozen=True)
class View:
    """A page that was looked at, and the key event that its opening was, if any."""

    page: Page
    seconds: float
    event: str | None = None
    revenue: float = 0.0


@dataclass(frozen=True)
class Visit:
    """What Google Analytics calls a session; `number` counts the visits of its day."""

    day: date
    number: int
    visitor: Visitor
    is_first: bool
    """Of the visitor, on any day."""
    source: str
    medium: str
    channel: str
    views: tuple[View, ...]

    @property
    def is_engaged(self) -> bool:
        """Ten seconds, two pages or a key event."""
        return len(self.views) > 1 or any(view.event or view.seconds >= 10 for view in self.views)


@lru_cache(maxsize=64)
def visits(world: World, day: date) -> Sequence[Visit]:
    """The visits of a day, in no order."""
    dice = world.dice("visits", day)
    drafts = [_sign_up(dice, person) for person in population(world) if person.joined_at.date() == day]
    drafts += [_order(dice, order) for order in _orders(world).get(day, ())]
    drafts += _others(world, dice, day)
    return tuple(_visit(dice, day, number, *draft) for number, draft in enumerate(drafts))


@lru_cache(maxsize=4)
def _orders(world: World) -> Mapping[date, Sequence[Order]]:
    found: dict[date, list[Order]] = defaultdict(list)
    for order in orders(world):
        found[order.placed_at.date()].append(order)
    return found


_Draft = tuple[Visitor, bool, Sequence[View]]


def _visit(dice: Random, day: date, number: int, who: Visitor, is_first: bool, views: Sequence[View]) -> Visit:
    source, medium, channel, _ = dice.choices(_SOURCES, cum_weights=_WEIGHTS)[0]
    return Visit(day, number, who, is_first, source, medium, channel, tuple(views))


def _sign_up(dice: Random, person: Person) -> _Draft:
    """Half of the people who sign up have never been here before."""
    steps = [*dice.sample(pages.SITE, k=dice.choice((1, 2))), pages.SIGN_UP]
    views = [View(page, _seconds(dice)) for page in steps]
    return visitor(person), person.number % 2 == 0, [*views, View(pages.WELCOME, _seconds(dice), "sign_up")]


def _order(dice: Random, order: Order) -> _Draft:
    seen = dict.fromkeys(article.title for article, _ in order.lines)
    steps = [pages.SHOP, *map(pages.product, seen), pages.CART]
    views = [View(page, _seconds(dice)) for page in steps]
    return visitor(order.person), False, [*views, View(pages.THANKS, _seconds(dice), "purchase", order.total)]


def _others(world: World, dice: Random, day: date) -> Iterator[_Draft]:
    mean = _VISITS * world.customers**_SLOWER * _WEEK[day.weekday()] * world.growth(day)
    for number in range(poisson(dice, mean)):
        is_first = dice.random() < 0.55
        regular_number = dice.randrange(2 * world.customers)
        who = stranger(dice, f"n{day}/{number}") if is_first else regular(world.seed, regular_number)
        bounces = dice.random() < _BOUNCING
        steps = dice.choices(pages.BROWSED, k=1 if bounces else dice.choice((1, 2, 2, 3, 4, 6)))
        views = [View(page, dice.uniform(1, 9) if bounces else _seconds(dice)) for page in steps]
        yield who, is_first, views


def _seconds(dice: Random) -> float:
    return round(10 + dice.expovariate(1 / 35), 3)
