"""All that the API can be asked for in a world, made once: per repository, and of the organisation."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from airbyte_sandbox.github import development, records, shapes
from airbyte_sandbox.github.activity import issue_events, stargazers, timeline
from airbyte_sandbox.github.deliveries import branches, commit, releases, tags
from airbyte_sandbox.github.places import (
    PLACES,
    account,
    collaborator,
    organisation,
    person,
    repository,
    short_repository,
    teams,
)
from airbyte_sandbox.github.planning import LABELS, label, milestone_of, milestones
from airbyte_sandbox.github.runs import workflow_runs
from airbyte_sandbox.github.threads import Thread, threads
from airbyte_sandbox.schema import Record
from airbyte_sandbox.world import World

Lists = dict[str, Sequence[Record]]


@dataclass(frozen=True)
class Repository:
    """A repository with its lists, each in the order in which the API gives it by default."""

    shown: Record
    lists: Lists
    reviews: dict[int, list[Record]]
    """By the number of the pull request, oldest first."""


@dataclass(frozen=True)
class Contents:
    """The organisation and its repositories by full name, in lower case."""

    organisation: Record
    lists: Lists
    repositories: dict[str, Repository]


@lru_cache(maxsize=4)
def contents(world: World) -> Contents:
    """Everything, as it is on the world's last day."""
    members = [person(found) for found in development.developers(world)]
    shown = development.repositories(world)
    found = {one["full_name"]: _repository(world, place, one) for place, one in zip(PLACES, shown, strict=True)}
    lists: Lists = {"users": members, "teams": teams(), "repositories": [one.shown for one in found.values()]}
    return Contents(organisation(world.start, len(members)), lists, found)


def _repository(world: World, place: int, shown: Record) -> Repository:
    name, short = records.full_name(place), short_repository(place, world.start)
    here = [thread for thread in threads(world) if thread.work.repository == place]
    team = [found for found in development.developers(world) if found.since is None]
    months = milestones(world, place, here, team[0])
    pushed = [_signed(one) for one in development.commits(world) if one["repository"] == name]
    issues = [(thread, shapes.issue(thread, milestone_of(world, thread, months))) for thread in here]
    starred = stargazers(world, place, here)
    released = releases(world, place, pushed, team[place])
    pulls = [thread for thread in here if thread.work.kind == "pull_request"]
    lists: Lists = {
        "assignees": [person(found) for found in team],
        "collaborators": [collaborator(found) for found in development.developers(world)],
        "branches": branches(place, pushed, [thread for thread in pulls if not thread.closed_at]),
        "tags": tags(released, pushed),
        "commits": [commit(one, before) for one, before in zip(pushed, [None, *pushed], strict=False)][::-1],
        "issues": [issue for _, issue in issues][::-1],
        "pull_requests": [
            shapes.pull_request(thread, issue["milestone"], short)
            for thread, issue in issues
            if thread.work.kind == "pull_request"
        ][::-1],
        "releases": released,
        "stargazers": starred,
        "issue_labels": [label(place, one) for one in LABELS],
        "issue_milestones": months,
        "issue_events": issue_events(short, issues),
        "events": timeline(world, short, pushed, issues, starred),
        "workflow_runs": workflow_runs(world, short, pushed, here),
        **_said(here),
    }
    reviews = {thread.work.number: [shapes.review(thread, one) for one in thread.reviews] for thread in pulls}
    return Repository(repository(shown), lists, reviews)


def _signed(shown: Record) -> Record:
    who = account(shown["author"])
    return {**shown, "author": who, "committer": who}


def _said(here: Sequence[Thread]) -> Lists:
    """Comments and remarks on lines, in the order of their creation."""
    comments = [shapes.comment(thread, one) for thread in here for one in thread.comments]
    remarks = [
        shapes.review_comment(thread, review, one)
        for thread in here
        for review in thread.reviews
        for one in thread.remarks_of(review)
    ]
    return {"comments": sorted(comments, key=_creation), "review_comments": sorted(remarks, key=_creation)}


def _creation(shown: Record) -> tuple[str, int]:
    return shown["created_at"], shown["id"]
