"""One sandbox world: its seed, its size, its days, and dice that depend on nothing but what they decide."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import exp


@dataclass(frozen=True)
class World:
    """Everything that decides the data; worlds that differ in `end` alone agree on the days they share."""

    seed: int
    customers: int
    """How many people there are 120 days after the start; more join every week."""
    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"A world ends on or after its first day. (start={self.start}, end={self.end})")

    @property
    def horizon(self) -> datetime:
        """The last second that has happened."""
        return datetime.combine(self.end, time(23, 59, 59), UTC)

    def days(self) -> Iterator[date]:
        """Every day from the first to the last."""
        for index in range((self.end - self.start).days + 1):
            yield self.start + timedelta(days=index)

    def dice(self, *key: object) -> random.Random:
        """Dice of their own for every key, the same on every machine."""
        return random.Random("/".join(map(str, (self.seed, *key))))  # noqa: S311 - nothing here is secret

    def growth(self, day: date) -> float:
        """The slow rise of everyone's activity: a quarter of a percent a day."""
        return 1 + 0.0025 * (day - self.start).days


def poisson(dice: random.Random, mean: float) -> int:
    """A Poisson draw; large means are cut into small ones so that exp() keeps its digits."""
    if mean > 30:
        return poisson(dice, mean / 2) + poisson(dice, mean / 2)
    limit, product, count = exp(-mean), dice.random(), 0
    while product > limit:
        product *= dice.random()
        count += 1
    return count


def moments(dice: random.Random, day: date, count: int) -> list[datetime]:
    """That many moments of a day in order, most of them in its working hours (UTC)."""
    hours = (min(max(dice.gauss(13.5, 4.0), 0.0), 23.99) for _ in range(count))
    midnight = datetime.combine(day, time(), UTC)
    return sorted(midnight + timedelta(seconds=int(hour * 3600)) for hour in hours)


def token(dice: random.Random, prefix: str, length: int, alphabet: str | None = None) -> str:
    """An identifier in the manner of public APIs."""
    letters = alphabet or "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return prefix + "".join(dice.choices(letters, k=length))
