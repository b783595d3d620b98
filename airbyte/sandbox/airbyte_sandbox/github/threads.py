"""What is said at a pull request or an issue: comments and reviews, planned when it opens, shown when they come."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import chain
from random import Random

from airbyte_sandbox.github.contributions import Developer, Work
from airbyte_sandbox.github.development import developers, works
from airbyte_sandbox.world import World

_SAYINGS = (
    "Can you add a test for this?", "I see the same here.", "This works for us now.", "Thanks, looks good.",
    "What happens when the list is empty?", "Let us do that in the next release.", "It is slower than before.",
)  # fmt: skip
_REMARKS = ("This name says too little.", "Can this be None?", "Please move this up.", "Why not a loop?")


@dataclass(frozen=True)
class Saying:
    """A comment, or a remark on a line of a change; some are edited later."""

    id: int
    author: Developer
    body: str
    at: datetime
    edited_at: datetime | None = None


@dataclass(frozen=True)
class Review:
    """One reviewer's verdict on a pull request, with remarks on lines."""

    id: int
    author: Developer
    state: str
    body: str
    at: datetime
    remarks: Sequence[Saying]


@dataclass(frozen=True)
class Thread:
    """A pull request or issue with all that follows; what lies after the horizon is not in it."""

    work: Work
    horizon: datetime
    assignee: Developer | None
    assigned_at: datetime
    in_milestone: bool
    all_comments: Sequence[Saying]
    all_reviews: Sequence[Review]

    @property
    def closed_at(self) -> datetime | None:
        """When it closed, if it has."""
        return self.work.closed_by(self.horizon)

    @property
    def assigned(self) -> Developer | None:
        """Who works on it."""
        return self.assignee if self.assigned_at <= self.horizon else None

    @property
    def comments(self) -> list[Saying]:
        """What has been said; an edit that is still to come does not show."""
        return [self._as_of_now(found) for found in self.all_comments if found.at <= self.horizon]

    @property
    def reviews(self) -> list[Review]:
        """The reviews so far, oldest first."""
        return [found for found in self.all_reviews if found.at <= self.horizon]

    def remarks_of(self, review: Review) -> list[Saying]:
        """The remarks of a review on lines; an edit that is still to come does not show."""
        return [self._as_of_now(remark) for remark in review.remarks]

    @property
    def awaited(self) -> list[Developer]:
        """Who is still to review it, as long as it is open."""
        late = [found.author for found in self.all_reviews if found.at > self.horizon]
        return [] if self.closed_at else list(dict.fromkeys(late))

    @property
    def updated_at(self) -> datetime:
        """When the last of all this happened."""
        remarks = [remark for review in self.reviews for remark in self.remarks_of(review)]
        said = chain.from_iterable((found.at, found.edited_at) for found in (*self.comments, *remarks))
        more = (self.closed_at, self.assigned_at if self.assigned else None, *(found.at for found in self.reviews))
        return max(at for at in (self.work.created_at, *said, *more) if at)

    def _as_of_now(self, saying: Saying) -> Saying:
        is_edited = saying.edited_at is not None and saying.edited_at <= self.horizon
        return saying if is_edited else replace(saying, edited_at=None)


@lru_cache(maxsize=4)
def threads(world: World) -> tuple[Thread, ...]:
    """One for every pull request and issue, in order of creation."""
    team = [found for found in developers(world) if found.since is None]
    return tuple(_thread(world, work, team) for work in works(world))


def _thread(world: World, work: Work, team: Sequence[Developer]) -> Thread:
    dice = world.dice("thread", work.repository, work.number)
    until = work.closes_at or work.created_at + timedelta(days=6)
    others = [found for found in team if found.login != work.author.login]
    is_assigned, in_milestone = dice.random() < 0.5, dice.random() < 0.4
    return Thread(
        work=work,
        horizon=world.horizon,
        assignee=dice.choice(team) if is_assigned else None,
        assigned_at=_between(dice, work.created_at, until),
        in_milestone=in_milestone,
        all_comments=_comments(dice, work, [*others, work.author], until),
        all_reviews=_reviews(dice, work, others, until) if work.kind == "pull_request" else (),
    )


def _comments(dice: Random, work: Work, people: Sequence[Developer], until: datetime) -> tuple[Saying, ...]:
    times = sorted(_between(dice, work.created_at, until) for _ in range(dice.choice((0, 0, 1, 1, 2, 3))))
    first = _number(work, 2_100_000_000)
    return tuple(
        Saying(first + place, dice.choice(people), dice.choice(_SAYINGS), at, _edited(dice, at))
        for place, at in enumerate(times)
    )


def _reviews(dice: Random, work: Work, people: Sequence[Developer], until: datetime) -> tuple[Review, ...]:
    times = sorted(_between(dice, work.created_at, until) for _ in range(dice.choice((0, 1, 1, 2))))
    found = []
    for place, at in enumerate(times):
        approves = work.merges and place == len(times) - 1
        state = "APPROVED" if approves else dice.choice(("COMMENTED", "CHANGES_REQUESTED"))
        author, first = dice.choice(people), _number(work, 2_900_000_000) + place * 10
        lines = 0 if approves else dice.choice((1, 1, 2))
        remarks = tuple(
            Saying(first + line, author, dice.choice(_REMARKS), at, _edited(dice, at)) for line in range(lines)
        )
        body = "" if remarks else "Looks good."
        found.append(Review(_number(work, 2_500_000_000) + place, author, state, body, at, remarks))
    return tuple(found)


def _number(work: Work, base: int) -> int:
    return base + work.repository * 50_000_000 + work.number * 100


def _edited(dice: Random, at: datetime) -> datetime | None:
    return at + timedelta(seconds=dice.randrange(60, 90_000)) if dice.random() < 0.1 else None


def _between(dice: Random, begin: datetime, end: datetime) -> datetime:
    return begin + timedelta(seconds=dice.randrange(1, max(int((end - begin).total_seconds()), 2)))
