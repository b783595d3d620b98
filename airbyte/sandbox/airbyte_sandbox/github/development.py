"""The code host: repositories, who works on them, and pull requests that merge after hours or never."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from random import Random

from airbyte_sandbox.anomalies import factor
from airbyte_sandbox.github import records
from airbyte_sandbox.github.contributions import Developer, Work
from airbyte_sandbox.people import population
from airbyte_sandbox.schema import Record
from airbyte_sandbox.world import World, moments, poisson, token

_WEEK = (1.1, 1.2, 1.2, 1.15, 1.0, 0.15, 0.1)
_PULL_REQUESTS, _ISSUES, _COMMITS = 5.0, 2.0, 6.0
_REPOSITORY_WEIGHTS = (5, 4, 2, 1)


def development_streams(world: World) -> dict[str, list[Record]]:
    """Every stream of the code host as it is on the world's last day, oldest record first."""
    works = list(_works(world))
    pull_requests = [work for work in works if work.kind == "pull_request"]
    commits = sorted([*_commits(world), *_merge_commits(world, pull_requests)], key=lambda commit: commit["created_at"])
    return {
        "repositories": list(_repositories(world, works, commits)),
        "pull_requests": [records.pull_request(work, world.horizon) for work in pull_requests],
        "commits": commits,
        "issues": [records.issue(work, world.horizon) for work in works if work.kind == "issue"],
        "users": [{**records.user(found), "organization": records.ORGANISATION} for found in _developers(world)],
    }


@lru_cache(maxsize=8)
def _developers(world: World) -> tuple[Developer, ...]:
    team = [
        Developer(4_100_000 + number, login, login.title(), f"{login}@sandbox-labs.example", None)
        for number, login in enumerate(("ashby", "birte", "corin", "devika", "esben", "farrah"))
    ]
    contributors = [
        Developer(7_200_000 + person.number, person.login, person.name, person.email, person.joined_at)
        for person in population(world)
        if person.login
    ]
    return (*team, *contributors)


def _somebody(world: World, dice: Random, day: date) -> Developer:
    """Four of five times one of the team."""
    team = [found for found in _developers(world) if found.since is None]
    others = [found for found in _developers(world) if found.since and found.since.date() < day]
    return dice.choice(others) if others and dice.random() < 0.2 else dice.choice(team)


def _works(world: World) -> Iterator[Work]:
    """Pull requests and issues in order of creation; both count up one number per repository."""
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


def _repositories(world: World, works: list[Work], commits: list[Record]) -> Iterator[Record]:
    pushes: dict[str, list[str]] = defaultdict(list)
    for commit in commits:
        pushes[commit["repository"]].append(commit["created_at"])
    for place in range(len(_REPOSITORY_WEIGHTS)):
        here = [work for work in works if work.repository == place]
        open_now = sum(work.closed_by(world.horizon) is None for work in here)
        ends = (work.closed_by(world.horizon) for work in here)
        events = [work.created_at for work in here] + [at for at in ends if at]
        yield records.repository(place, world.start, events, pushes[records.full_name(place)], open_now)


def _sha(dice: Random) -> str:
    return token(dice, "", 40, "0123456789abcdef")
