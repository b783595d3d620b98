"""What sales is selling: deals that move from stage to stage over days until they are won or lost."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random

from airbyte_sandbox.hubspot.contacts import Contact, contacts
from airbyte_sandbox.world import World, moments, poisson

OPEN_STAGES = (
    "appointmentscheduled",
    "qualifiedtobuy",
    "presentationscheduled",
    "decisionmakerboughtin",
    "contractsent",
)
WON, LOST = "closedwon", "closedlost"
_FIRST_NEW, _FIRST_MORE = 8_000_000, 8_600_000_000
_MORE_PER_CUSTOMER = 0.01
# product, price a year in dollars
PRODUCTS = (("Starter", 228), ("Team", 588), ("Business", 2388), ("Onboarding", 500))


@dataclass(frozen=True)
class Line:
    """A product in a deal."""

    product: str
    price: int
    quantity: int


@dataclass(frozen=True)
class Deal:
    """One deal with its planned way; stages after a horizon do not show."""

    id: int
    contact: Contact
    is_new_business: bool
    lines: tuple[Line, ...]
    stages: tuple[tuple[str, datetime], ...]
    """Each stage with the moment it is entered; the last is won or lost."""

    @property
    def created_at(self) -> datetime:
        """When the first stage was entered."""
        return self.stages[0][1]

    @property
    def amount(self) -> int:
        """What it is worth, in dollars."""
        return sum(line.price * line.quantity for line in self.lines)

    @property
    def name(self) -> str:
        """Whom it is with, and what about."""
        who = self.contact.company or f"{self.contact.first_name} {self.contact.last_name}"
        return f"{who} - {'New' if self.is_new_business else 'More'} {self.lines[0].product}"

    def until(self, horizon: datetime) -> list[tuple[str, datetime]]:
        """The stages that were entered by then; at least the first."""
        return [(stage, at) for stage, at in self.stages if at <= horizon]

    def won_at(self, horizon: datetime) -> datetime | None:
        """When it was won, if it has been by then."""
        stage, at = self.until(horizon)[-1]
        return at if stage == WON else None


@lru_cache(maxsize=4)
def deals(world: World) -> tuple[Deal, ...]:
    """Every deal that was begun until the last day; a new customer's deal is won at the moment of joining."""
    found = (*(_first_deal(world, contact) for contact in contacts(world)), *_further_deals(world))
    return tuple(deal for deal in found if deal and deal.created_at <= world.horizon)


def _first_deal(world: World, contact: Contact) -> Deal | None:
    dice = world.dice("deal", contact.id)
    is_sold_to = dice.random() < (0.85 if contact.company else 0.5)
    if not is_sold_to or contact.joined_at == contact.known_at or contact.forgotten_at:
        return None
    begun = contact.known_at + timedelta(seconds=dice.randrange(3600, 2 * 86_400))
    closed = contact.joined_at or begun + timedelta(hours=24 * 14 * dice.lognormvariate(0, 0.6))
    stages = _stages(dice, begun, closed.replace(microsecond=0), WON if contact.joined_at else LOST)
    return Deal(_FIRST_NEW + contact.id, contact, True, _lines(dice), stages)


def _further_deals(world: World) -> Iterator[Deal]:
    """Customers buy more, or think about it."""
    customers = [contact for contact in contacts(world) if contact.is_customer(world.horizon)]
    for day in world.days():
        known = [found for found in customers if found.joined_at and found.joined_at.date() < day]
        dice = world.dice("further deals", day)
        count = poisson(dice, len(known) * _MORE_PER_CUSTOMER * (0.2 if day.weekday() > 4 else 1.3))
        for place, begun in enumerate(moments(dice, day, count)):
            contact = dice.choice(known)
            closed = begun + timedelta(seconds=int(86_400 * 9 * dice.lognormvariate(0, 0.5)))
            stages = _stages(dice, begun, closed, WON if dice.random() < 0.6 else LOST)
            number = _FIRST_MORE + day.toordinal() * 100 + place
            yield Deal(number, contact, False, _lines(dice), stages)


def _stages(dice: Random, begun: datetime, closed: datetime, last: str) -> tuple[tuple[str, datetime], ...]:
    """Through all stages where it is won, through some where it is lost."""
    count = len(OPEN_STAGES) if last == WON else dice.randrange(1, len(OPEN_STAGES) + 1)
    seconds = max(int((closed - begun).total_seconds()), count + 1)
    entered = [0, *sorted(dice.sample(range(1, seconds), count - 1)), seconds]
    return tuple(
        (stage, begun + timedelta(seconds=after))
        for stage, after in zip((*OPEN_STAGES[:count], last), entered, strict=True)
    )


def _lines(dice: Random) -> tuple[Line, ...]:
    name, price = dice.choices(PRODUCTS[:3], weights=(5, 4, 2))[0]
    plan = Line(name, price, dice.randrange(2, 12) if name == "Team" else 1)
    return (plan, Line(*PRODUCTS[3], 1)) if dice.random() < 0.4 else (plan,)
