"""Support cases: what customers ask, how the team answers over the following days, and how content they are with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Literal

from airbyte_sandbox.people import Person, known_before
from airbyte_sandbox.team import TEAM, Colleague
from airbyte_sandbox.world import World, moments, poisson

_CASES_PER_CUSTOMER = 0.022
_WEEK = (1.25, 1.2, 1.1, 1.05, 1.0, 0.45, 0.4)
ANSWERING = tuple(found for found in TEAM if found.job in ("Support engineer", "Customer success"))
# subject, what is asked, topic, how it is answered
_QUESTIONS = (
    ("Charged twice this month", "I see two charges for the same month.", "billing", "The second one is refunded."),
    ("Invoice without our tax number", "Please put it on the invoice.", "billing", "A corrected invoice is attached."),
    ("Where is my order?", "It was due two days ago.", "shipping", "The parcel is with the carrier; it comes today."),
    ("A part is missing", "The box came without the cable.", "shipping", "We have sent the missing part today."),
    ("Cannot log in", "The reset link says that it has expired.", "account", "We have sent a link that lasts a day."),
    ("Change our owner's address", "She has a new address.", "account", "It is changed; she has a mail from us."),
    ("Export stops at half", "The file ends after some thousand rows.", "bug", "A fix is out; please try it again."),
    ("The chart shows no data", "Since today it stays empty.", "bug", "The collector was behind; now it is filled."),
    ("How do I add a colleague?", "I do not find where.", "how_to", "Under Settings, People; here are the steps."),
    ("Can it do single sign-on?", "Our policy asks for it.", "how_to", "It can, in the Business plan; here is how."),
)
Kind = Literal[
    "created", "assigned", "answered", "replied", "solved", "reopened", "offered", "rated", "closed", "deleted"
]
_STATUS: dict[Kind, str] = {
    "created": "new",
    "assigned": "open",
    "answered": "pending",
    "replied": "open",
    "solved": "solved",
    "reopened": "open",
    "closed": "closed",
    "deleted": "deleted",
}


@dataclass(frozen=True)
class Turn:
    """One thing that happens to a case, and who says what with it."""

    at: datetime
    kind: Kind
    by: Literal["requester", "agent", "rule"]
    text: str | None = None

    @property
    def status(self) -> str | None:
        """What the case's status becomes; None where it stays."""
        return _STATUS.get(self.kind)


@dataclass(frozen=True)
class Case:
    """One case with its planned life; what lies after a horizon does not show."""

    number: int
    requester: Person
    agent: Colleague
    subject: str
    topic: str
    channel: Literal["email", "web", "api"]
    priority: Literal["low", "normal", "high", "urgent"]
    score: Literal["good", "bad"] | None
    """How it will be rated, if it will."""
    turns: tuple[Turn, ...]

    @property
    def created_at(self) -> datetime:
        """When it was asked."""
        return self.turns[0].at

    def until(self, horizon: datetime) -> list[Turn]:
        """What has happened by then, in order; at least its creation."""
        return [turn for turn in self.turns if turn.at <= horizon]

    def status(self, horizon: datetime) -> str:
        """The status it has by then."""
        return [turn.status for turn in self.until(horizon) if turn.status][-1]


@lru_cache(maxsize=8)
def cases(world: World) -> tuple[Case, ...]:
    """Every case that was opened until the last day, in order of creation."""
    return tuple(_cases(world))


def _cases(world: World) -> Iterator[Case]:
    number = 0
    for day in world.days():
        for case in _cases_of_day(world, day, number):
            number += 1
            yield case


def _cases_of_day(world: World, day: date, number: int) -> Iterator[Case]:
    known = known_before(world, day)
    if not known:
        return
    dice = world.dice("cases", day)
    count = poisson(dice, len(known) * _CASES_PER_CUSTOMER * _WEEK[day.weekday()] * world.growth(day))
    asking = dice.choices(known, weights=[person.loyalty for person in known], k=count)
    for offset, (person, at) in enumerate(zip(asking, moments(dice, day, count), strict=True)):
        yield _case(world.dice("case", day, offset), number + offset, person, at)


def _case(dice: Random, number: int, person: Person, at: datetime) -> Case:
    subject, question, topic, answer = dice.choice(_QUESTIONS)
    score: Literal["good", "bad"] | None = None
    if dice.random() < 0.5:
        score = "good" if dice.random() < 0.85 else "bad"
    return Case(
        number=number,
        requester=person,
        agent=dice.choice(ANSWERING),
        subject=subject,
        topic=topic,
        channel=dice.choices(("email", "web", "api"), weights=(6, 3, 1))[0],
        priority=dice.choices(("low", "normal", "high", "urgent"), weights=(2, 6, 2, 1))[0],
        score=score,
        turns=tuple(_turns(dice, at, question, answer, score)),
    )


def _turns(dice: Random, at: datetime, question: str, answer: str, score: str | None) -> Iterator[Turn]:
    yield Turn(at, "created", "requester", question)
    at = _after(dice, at, 0.3)
    if dice.random() < 0.03:
        yield Turn(at, "deleted", "agent")
        return
    yield Turn(at, "assigned", "agent")
    for _ in range(dice.choices((0, 1, 2), weights=(5, 4, 1))[0]):
        at = _after(dice, at, 4.0)
        yield Turn(at, "answered", "agent", "Thank you. Could you tell us since when?")
        at = _after(dice, at, 14.0)
        yield Turn(at, "replied", "requester", "Since yesterday, I think.")
    at = _after(dice, at, 9.0)
    yield Turn(at, "solved", "agent", answer)
    if dice.random() < 0.07:
        at = _after(dice, at, 12.0)
        yield Turn(at, "reopened", "requester", "It happened again.")
        at = _after(dice, at, 5.0)
        yield Turn(at, "solved", "agent", answer)
    yield from _afterwards(dice, at, score)


def _afterwards(dice: Random, solved: datetime, score: str | None) -> Iterator[Turn]:
    """A day after it was solved the customer is asked, and after four days it is closed."""
    offered = solved + timedelta(days=1)
    yield Turn(offered, "offered", "rule")
    if score:
        words = {"good": "Quick and kind.", "bad": "It took too long."}[score]
        rated = offered + timedelta(seconds=dice.randrange(600, 2 * 86_400))
        yield Turn(rated, "rated", "requester", words if dice.random() < 0.6 else None)
    yield Turn(solved + timedelta(days=4), "closed", "rule")


def _after(dice: Random, at: datetime, hours: float) -> datetime:
    """Later by that many hours in the middle, by less than a minute never."""
    return at + timedelta(seconds=max(60, int(dice.lognormvariate(0, 1.0) * hours * 3600)))
