"""The people of a world: who they are, where they pay, and when they came."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from airbyte_sandbox import words
from airbyte_sandbox.words import Country
from airbyte_sandbox.world import World, moments

_KNOWN_AT_START = 0.6
_ARRIVALS_BY_WEEKDAY = (1.2, 1.25, 1.2, 1.1, 1.0, 0.65, 0.6)


@dataclass(frozen=True)
class Person:
    """One made-up person; tools spell the e-mail each in its own way."""

    number: int
    first_name: str
    last_name: str
    company: str | None
    email: str
    phone: str | None
    country: Country
    city: str
    street: str
    postal_code: str
    joined_at: datetime
    pays: bool
    """Is a customer of the payment service."""
    shops: bool
    """Is a customer of the shop; everyone is a customer of at least one of the two."""
    login: str | None
    """The name as a contributor to repositories, which few are."""
    loyalty: float
    email_in_payments: str

    @property
    def name(self) -> str:
        """The full name."""
        return f"{self.first_name} {self.last_name}"


@lru_cache(maxsize=8)
def population(world: World) -> tuple[Person, ...]:
    """Everyone who has joined until the last day, in order of arrival."""
    founders = round(world.customers * _KNOWN_AT_START)
    days = [world.start - timedelta(days=1 + world.dice("founder", n).randrange(400)) for n in range(founders)]
    arrivals = sorted(days)
    due = 0.0
    for day in world.days():
        due += (world.customers - founders) / 120 * _ARRIVALS_BY_WEEKDAY[day.weekday()]
        while due >= 1:
            arrivals.append(day)
            due -= 1
    return tuple(_person(world, number, day) for number, day in enumerate(arrivals))


def known_before(world: World, day: date) -> list[Person]:
    """The people who had joined before that day."""
    return [person for person in population(world) if person.joined_at.date() < day]


def _person(world: World, number: int, day: date) -> Person:
    dice = world.dice("person", number)
    first, last = words.name(world.seed, number)
    slug = f"{words.ascii_letters(first)}.{words.ascii_letters(last)}".lower()
    round_of_names = number // words.NAME_COUNT
    company = dice.choice(words.COMPANIES) if dice.random() < 0.5 else None
    domain = words.domain(company) if company else dice.choice(words.DOMAINS)
    email = f"{slug}{round_of_names or ''}@{domain}"
    country = dice.choices(words.COUNTRIES, weights=[found.weight for found in words.COUNTRIES])[0]
    where = dice.random()
    return Person(
        number=number,
        first_name=first,
        last_name=last,
        company=company,
        email=email,
        phone=re.sub("#", lambda _: str(dice.randrange(1, 10)), country.phone) if dice.random() < 0.6 else None,
        country=country,
        city=dice.choice(country.cities),
        street=f"{dice.randrange(1, 200)} {dice.choice(words.STREETS)}",
        postal_code=f"{dice.randrange(10_000, 99_999)}",
        joined_at=moments(dice, day, 1)[0],
        pays=where < 0.9,
        shops=where < 0.8 or where >= 0.9,
        login=f"{slug.replace('.', '-')}{number}" if dice.random() < 0.1 else None,
        loyalty=dice.expovariate(1.0) + 0.2,
        email_in_payments=_respelled(email, dice.random()),
    )


def _respelled(email: str, chance: float) -> str:
    """One in ten types the address with capitals, one in fifty shouts it."""
    if chance < 0.02:
        return email.upper()
    return email.title() if chance < 0.1 else email
