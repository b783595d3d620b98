"""Why orders cost less: price rules, one for good and one a month, and the codes that people type."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache

from airbyte_sandbox.shopify.sales import Order, orders
from airbyte_sandbox.world import World

_RULE_BASE, _CODE_BASE = 1_190_000_000_000, 16_400_000_000_000


@dataclass(frozen=True)
class Code:
    """What a customer types for a rule's discount."""

    id: int
    code: str
    created_at: datetime


@dataclass(frozen=True)
class Rule:
    """Ten percent off everything, for a time."""

    id: int
    title: str
    starts_at: datetime
    ends_at: datetime | None
    codes: tuple[Code, ...]


@dataclass(frozen=True)
class Use:
    """How often a code was used, and when last."""

    count: int
    last_at: datetime


@lru_cache(maxsize=4)
def rules(world: World) -> tuple[Rule, ...]:
    """The rules and codes that exist by the last day, oldest first."""
    founded = datetime.combine(world.start - timedelta(days=300), time(8), UTC)
    welcome = Rule(_RULE_BASE, "WELCOME10", founded, None, (Code(_CODE_BASE, "WELCOME10", founded),))
    return (welcome, *_monthly(world))


def _monthly(world: World) -> Iterator[Rule]:
    """A campaign a month; partners get their code ten days after it began."""
    first, number = world.start.replace(day=1), 0
    while first <= world.end:
        number += 1
        following = (first + timedelta(days=32)).replace(day=1)
        starts, ends = (datetime.combine(day, time(), UTC) for day in (first, following))
        name = f"{first:%b%y}".upper()
        codes = tuple(
            Code(_CODE_BASE + number * 16 + place, f"{channel}-{name}", starts + timedelta(days=after, hours=place))
            for place, (channel, after) in enumerate((("NEWS", 0), ("SOCIAL", 0), ("PARTNER", 10)))
        )
        known = tuple(code for code in codes if code.created_at <= world.horizon)
        yield Rule(_RULE_BASE + number * 4096, f"{name} campaign", starts, ends - timedelta(seconds=1), known)
        first = following


def code_of(world: World, order: Order) -> Code | None:
    """The code that an order came with, None for one without discount."""
    if not order.discount:
        return None
    dice = world.dice("code", order.sequence)
    welcome, *months = rules(world)
    running = [rule for rule in months if rule.ends_at and rule.starts_at <= order.placed_at <= rule.ends_at]
    open_codes = [code for rule in running for code in rule.codes if code.created_at <= order.placed_at]
    return dice.choice(open_codes) if open_codes and dice.random() < 0.6 else welcome.codes[0]


@lru_cache(maxsize=4)
def uses(world: World) -> dict[int, Use]:
    """Of each code that was used, by its id."""
    used = [(found, order.placed_at) for order in orders(world) if (found := code_of(world, order))]
    counts = Counter(code.id for code, _ in used)
    last = {code.id: at for code, at in used}
    return {code_id: Use(count, last[code_id]) for code_id, count in counts.items()}
