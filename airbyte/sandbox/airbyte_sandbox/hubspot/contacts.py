"""Whom sales knows: every customer, most of them since some days before they became one, and others who never will."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random

from airbyte_sandbox import words
from airbyte_sandbox.people import Person, population
from airbyte_sandbox.team import TEAM, Colleague
from airbyte_sandbox.words import Country
from airbyte_sandbox.world import World, moments, poisson

SELLING = tuple(found for found in TEAM if found.job in ("Account executive", "Customer success"))
_LONGEST_DAYS = 45
"""How long before someone becomes a customer sales may know of it."""
_IN_VAIN = 0.7
"""How many never become customers for each one who does."""
_FIRST_PERSON, _FIRST_STRANGER = 5_100_000, 5_900_000
_JOBS = ("Owner", "Head of operations", "Buyer", "Engineer", "Office manager", "Head of marketing")


@dataclass(frozen=True)
class Contact:
    """Someone sales knows since `known_at`; what lies after a horizon does not show."""

    id: int
    first_name: str
    last_name: str
    email: str
    phone: str | None
    job: str
    company: str | None
    country: Country
    city: str
    known_at: datetime
    joined_at: datetime | None
    """When this one becomes a customer, under the same e-mail in every tool; None for never."""
    forgotten_at: datetime | None
    """When a contact in vain is archived."""
    owner: Colleague
    person: Person | None

    def is_customer(self, horizon: datetime) -> bool:
        """Whether this one has become a customer by then."""
        return self.joined_at is not None and self.joined_at <= horizon


@lru_cache(maxsize=4)
def contacts(world: World) -> tuple[Contact, ...]:
    """Everyone whom sales has got to know until the last day, those who were archived too."""
    # Who will come is decided already: sales knows some of them.
    coming = replace(world, end=world.end + timedelta(days=_LONGEST_DAYS + 1))
    found = (*(_known(world, person) for person in population(coming)), *_strangers(world))
    return tuple(contact for contact in found if contact.known_at <= world.horizon)


def _known(world: World, person: Person) -> Contact:
    dice = world.dice("contact", person.number)
    before = timedelta(seconds=dice.randrange(3 * 86_400, _LONGEST_DAYS * 86_400))
    return Contact(
        id=_FIRST_PERSON + person.number,
        first_name=person.first_name,
        last_name=person.last_name,
        email=person.email,
        phone=person.phone,
        job=dice.choice(_JOBS),
        company=person.company,
        country=person.country,
        city=person.city,
        known_at=person.joined_at - before if dice.random() < 0.7 else person.joined_at,
        joined_at=person.joined_at,
        forgotten_at=None,
        owner=dice.choice(SELLING),
        person=person,
    )


def _strangers(world: World) -> Iterator[Contact]:
    number = 0
    for day in world.days():
        dice = world.dice("strangers", day)
        # People who join by and by are two of five; see `population`.
        count = poisson(dice, world.customers * 0.4 / 120 * _IN_VAIN)
        for at in moments(dice, day, count):
            yield _stranger(world, dice, number, at)
            number += 1


def _stranger(world: World, dice: Random, number: int, at: datetime) -> Contact:
    first, last = words.name(world.seed, -1 - number)
    company = dice.choice(words.COMPANIES) if dice.random() < 0.6 else None
    country = dice.choices(words.COUNTRIES, weights=[found.weight for found in words.COUNTRIES])[0]
    # Surname first: no customer's address looks like it.
    slug = f"{words.ascii_letters(last)}.{words.ascii_letters(first)}{number // words.NAME_COUNT or ''}".lower()
    return Contact(
        id=_FIRST_STRANGER + number,
        first_name=first,
        last_name=last,
        email=f"{slug}@{words.domain(company) if company else dice.choice(words.DOMAINS)}",
        phone=None,
        job=dice.choice(_JOBS),
        company=company,
        country=country,
        city=dice.choice(country.cities),
        known_at=at,
        joined_at=None,
        forgotten_at=at + timedelta(days=dice.randrange(30, 60)) if dice.random() < 0.3 else None,
        owner=dice.choice(SELLING),
        person=None,
    )


def company_id(company: str) -> int:
    """The id of a company."""
    return 9_800_000 + words.COMPANIES.index(company)
