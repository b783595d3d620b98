"""A message and its thread, with the ids that are moments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from random import Random

from airbyte_sandbox.slack.members import Member
from airbyte_sandbox.world import World


@dataclass(frozen=True)
class Post:
    """One message; `replies` is its thread, oldest first, all of the same day as it."""

    ts: str
    """Seconds and a number of six digits, unique in the channel."""
    author: Member
    text: str
    subtype: str | None = None
    replies: tuple["Post", ...] = ()
    reactions: dict[str, tuple[Member, ...]] = field(default_factory=dict)

    @property
    def when(self) -> Decimal:
        """The same as a number, exactly."""
        return Decimal(self.ts)


def timestamp(at: datetime, dice: Random) -> str:
    """The moment of a message; two of the same second differ."""
    return f"{int(at.timestamp())}.{dice.randrange(1_000_000):06}"


def post(
    world: World,
    key: Sequence[object],
    at: datetime,
    author: Member,
    text: str,
    *,
    thread: Sequence[tuple[Member, str]] = (),
    subtype: str | None = None,
    fans: Sequence[Member] = (),
) -> Post:
    """A message at a moment; the thread's answers come minutes apart until midnight, the later ones never."""
    dice = world.dice("slack post", *key)
    ts = timestamp(at, dice)
    replies = tuple(_replies(dice, at, thread))
    reactions = {dice.choice(("+1", "tada", "eyes", "heart")): tuple(fans)} if fans else {}
    return Post(ts, author, text, subtype, replies, reactions)


def _replies(dice: Random, at: datetime, thread: Sequence[tuple[Member, str]]) -> Iterator[Post]:
    midnight = datetime.combine(at.date() + timedelta(days=1), time(), UTC)
    for author, text in thread:
        at += timedelta(seconds=dice.randrange(30, 2400))
        if at >= midnight:
            return
        yield Post(timestamp(at, dice), author, text)
