"""Planted anomalies: days on which one measure of one tool leaves its course."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import lru_cache

from airbyte_sandbox.world import World

_BLOCK = 30
_CHANCE = 0.7
# tool, stream, measure, then (kind, factor) to choose from; a first block without any is the history to learn from.
_PLANTABLE: tuple[tuple[str, str, str, tuple[tuple[str, float], ...]], ...] = (
    ("stripe", "charges", "payment_count", (("spike", 3.0), ("drop", 0.05))),
    ("stripe", "charges", "failed_payment_count", (("spike", 8.0),)),
    ("shopify", "orders", "order_count", (("spike", 3.5), ("drop", 0.05))),
    ("github", "pull_requests", "pull_requests_opened", (("spike", 5.0),)),
)


@dataclass(frozen=True)
class Anomaly:
    """On `day` the expected value of `measure` is `factor` times what season and trend say."""

    day: date
    tool: str
    stream: str
    measure: str
    kind: str
    factor: float

    def as_json(self) -> dict[str, object]:
        """The anomaly as `truth.json` names it."""
        return {**asdict(self), "day": self.day.isoformat()}


@lru_cache(maxsize=8)
def planted(world: World) -> tuple[Anomaly, ...]:
    """The anomalies until the last day, in order of their days."""
    return tuple(sorted(_plant(world), key=lambda anomaly: (anomaly.day, anomaly.measure)))


def factor(world: World, measure: str, day: date) -> float:
    """What to multiply the expected value of a measure with on a day; 1 on ordinary days."""
    return next((found.factor for found in planted(world) if (found.measure, found.day) == (measure, day)), 1.0)


def _plant(world: World) -> Iterator[Anomaly]:
    for block in range(1, (world.end - world.start).days // _BLOCK + 1):
        for tool, stream, measure, kinds in _PLANTABLE:
            dice = world.dice("anomaly", measure, block)
            day = world.start + timedelta(days=block * _BLOCK + dice.randrange(_BLOCK))
            kind, size = dice.choice(kinds)
            # Repositories rest at weekends: a multiple of nothing would not be seen.
            rests = tool == "github" and day.weekday() >= 5
            if dice.random() < _CHANCE and day <= world.end and not rests:
                yield Anomaly(day, tool, stream, measure, kind, size)
