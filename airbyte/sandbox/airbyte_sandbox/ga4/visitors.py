"""Who visits: people of the world, and others of whom only the device is known."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from random import Random

from airbyte_sandbox.people import Person
from airbyte_sandbox.words import COUNTRIES

# category, operating system, browser, and how many of a hundred people have it
_DEVICES = (
    ("desktop", "Windows", "Chrome", 24), ("desktop", "Windows", "Edge", 9), ("desktop", "Macintosh", "Chrome", 10),
    ("desktop", "Macintosh", "Safari", 9), ("desktop", "Linux", "Firefox", 6), ("mobile", "iOS", "Safari", 21),
    ("mobile", "Android", "Chrome", 16), ("tablet", "iOS", "Safari", 4), ("smart tv", "Tizen", "Samsung Internet", 1),
)  # fmt: skip
_DEVICE_WEIGHTS = tuple(accumulate(weight for *_, weight in _DEVICES))
_COUNTRIES = tuple(country.name for country in COUNTRIES)
_COUNTRY_WEIGHTS = tuple(accumulate(country.weight for country in COUNTRIES))


@dataclass(frozen=True)
class Visitor:
    """Someone with a device, always the same one."""

    id: str
    device: str
    system: str
    browser: str
    country: str


@lru_cache(maxsize=20_000)
def visitor(person: Person) -> Visitor:
    """A person of the world, who is where the other tools say."""
    return _equipped(_dice(person.email), f"p{person.number}", person.country.name)


@lru_cache(maxsize=20_000)
def regular(seed: int, number: int) -> Visitor:
    """Someone who comes again and again, and whom no other tool knows."""
    return stranger(_dice(f"{seed}/{number}"), f"r{number}")


def stranger(dice: Random, name: str) -> Visitor:
    """Someone whom nobody has seen before."""
    return _equipped(dice, name, dice.choices(_COUNTRIES, cum_weights=_COUNTRY_WEIGHTS)[0])


def _equipped(dice: Random, name: str, country: str) -> Visitor:
    category, system, browser, _ = dice.choices(_DEVICES, cum_weights=_DEVICE_WEIGHTS)[0]
    return Visitor(name, category, system, browser, country)


def _dice(name: str) -> Random:
    return Random(f"visitor/{name}")  # noqa: S311 - nothing here is secret
