"""The code host: repositories, who works on them, and pull requests that merge after hours or never."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from random import Random

from airbyte_sandbox.anomalies import factor
from airbyte_sandbox.github import records
from airbyte_sandbox.github.contributions import Developer, Work
from airbyte_sandbox.people import population
from airbyte_sandbox.schema import Record
from airbyte_sandbox.team import TEAM
from airbyte_sandbox.world import World, moments, poisson, token

_WEEK = (1.1, 1.2, 1.2, 1.15, 1.0, 0.15, 0.1)
_PULL_REQUESTS, _ISSUES, _COMMITS = 5.0, 2.0, 6.0
_REPOSITORY_WEIGHTS = (5, 4, 2, 1)


def development_streams(world: World) -> dict[str, list[Record]]:
    """Every stream of the code host as it is on the world's last day, oldest record first."""
    opened = works(world)
    return {
        "repositories": repositories(world),
        "pull_requests": [records.pull_request(work, world.horizon) for work in opened if work.kind == "pull_request"],
        "commits": list(commits(world)),
        "issues": [records.issue(work, world.horizon) for work in opened if work.kind == "issue"],
        "users": [{**records.user(found), "organization": records.ORGANISATION} for found in developers(world)],
    }


@lru_cache(maxsize=4)
def works(world: World) -> tuple[Work, ...]:
    """Every pull request and issue in order of creation; both count up one number per repository."""
    return tuple(_works(world))


@lru_cache(maxsize=4)
def commits(world: World) -> tuple[Record, ...]:
    """Every commit of the default branches, those of merged pull requests among them, oldest first."""
    merged = _merge_commits(world, [work for work in works(world) if work.kind == "pull_request"])
    return tuple(sorted([*_commits(world), *merged], key=lambda commit: commit["created_at"]))


def repositories(world: World) -> list[Record]:
    """The repositories with the counts of the last day."""
    return list(_repositories(world, works(world), commits(world)))


@lru_cache(maxsize=8)
def developers(world: World) -> tuple[Developer, ...]:
    """The team, then the customers who contribute, in order of arrival."""
    team = [Developer(4_100_000 + one.number, one.login, one.first_name, one.email, None) for one in TEAM]
    contributors = [
        Developer(7_200_000 + person.number, person.login, person.name, person.email, person.joined_at)
        for person in population(world)
        if person.login
    ]
    return (*team, *contributors)


def _somebody(world: World, dice: Random, day: date) -> Developer:
    """Four of five times one of the team."""
    team, others = _known(world, day)
    return dice.choice(others) if others and dice.random() < 0.2 else dice.choice(team)


@lru_cache(maxsize=64)
def _known(world: World, day: date) -> tuple[list[Developer], list[Developer]]:
    """The team, and who else contributes on a day."""
    found = developers(world)
    return [one for one in found if not one.since], [one for one in found if one.since and one.since.date() < day]


def _works(world: World) -> Iterator[Work]:
    numbers: Counter[int] = Counter()
    for day in world.days():
        dice = world.dice("work", day)
        mean = _PULL_REQUESTS * _WEEK[day.weekday()] * world.growth(day)
        kinds = ["pull_request"] * poisson(dice, mean * factor(world, "pull_requests_opened", day))
        kinds += ["issue"] * poisson(dice, _ISSUES * (0.5 + _WEEK[day.weekday()] / 2))
        dice.shuffle(kinds)
        for kind, at in zip(kinds, moments(dice, day, len(kinds)), strict=True):
            repository = dice.choices(range(len(_REPOSITORY_WEIGHTS)), weights=_REPOSITORY_WEIGHTS)[0]
            numbers[repository] += 1
            yield _work(world, dice, kind, repository, numbers[repository], at)


def _work(world: World, dice: Random, kind: str, repository: int, number: int, at: datetime) -> Work:
    fate = dice.random()
    # Half of the pull requests merge within nine hours, some take a week; issues take days.
    hours = dice.lognormvariate(2.2, 1.2) if kind == "pull_request" else dice.lognormvariate(4.3, 1.1)
    return Work(
        kind=kind,
        repository=repository,
        number=number,
        author=_somebody(world, dice, at.date()),
        created_at=at,
        closes_at=at + timedelta(seconds=int(max(hours, 0.1) * 3600)) if fate < 0.92 else None,
        merges=kind == "pull_request" and fate < 0.82,
        title=records.title(dice),
        sha=_sha(dice),
        label=dice.choice(("bug", "enhancement", "question")),
    )


def _commits(world: World) -> Iterator[Record]:
    for day in world.days():
        dice = world.dice("commits", day)
        for at in moments(dice, day, poisson(dice, _COMMITS * _WEEK[day.weekday()] * world.growth(day))):
            repository = dice.choices(range(len(_REPOSITORY_WEIGHTS)), weights=_REPOSITORY_WEIGHTS)[0]
            author = _somebody(world, dice, day)
            yield records.commit(_sha(dice), repository, author, at, records.title(dice))


def _merge_commits(world: World, pull_requests: list[Work]) -> Iterator[Record]:
    for work in pull_requests:
        merged_at = work.closed_by(world.horizon)
        if work.merges and merged_at:
            message = f"{work.title} (#{work.number})"
            yield records.commit(work.sha, work.repository, work.author, merged_at, message)


def _repositories(world: World, opened: Sequence[Work], pushed: Sequence[Record]) -> Iterator[Record]:
    pushes: dict[str, list[str]] = defaultdict(list)
    for commit in pushed:
        pushes[commit["repository"]].append(commit["created_at"])
    for place in range(len(_REPOSITORY_WEIGHTS)):
        here = [work for work in opened if work.repository == place]
        open_now = sum(work.closed_by(world.horizon) is None for work in here)
        ends = (work.closed_by(world.horizon) for work in here)
        events = [work.created_at for work in here] + [at for at in ends if at]
        yield records.repository(place, world.start, events, pushes[records.full_name(place)], open_now)


def _sha(dice: Random) -> str:
    return token(dice, "", 40, "0123456789abcdef")
