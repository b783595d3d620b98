"""Labels and milestones: what issues and pull requests are sorted by."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from airbyte_sandbox.github import records
from airbyte_sandbox.github.contributions import Developer
from airbyte_sandbox.github.places import person
from airbyte_sandbox.github.records import API, WEB, full_name, iso
from airbyte_sandbox.github.threads import Thread
from airbyte_sandbox.schema import Record
from airbyte_sandbox.world import World

LABELS = {
    "bug": ("d73a4a", "Something is not working"),
    "enhancement": ("a2eeef", "A wish"),
    "question": ("d876e3", "Something is not clear"),
    "good first issue": ("7057ff", "Good for newcomers"),
}


def label(place: int, name: str) -> Record:
    """A label of a repository."""
    number = 3_400_000_000 + place * 1000 + list(LABELS).index(name)
    colour, description = LABELS[name]
    return {
        "id": number,
        "node_id": f"LA_{number}",
        "url": f"{API}/repos/{full_name(place)}/labels/{name.replace(' ', '%20')}",
        "name": name,
        "color": colour,
        "default": True,
        "description": description,
    }


def milestones(world: World, place: int, threads: Sequence[Thread], creator: Developer) -> list[Record]:
    """One a month, open until the next begins, with what has been put into it."""
    here = [thread for thread in threads if thread.work.repository == place and thread.in_milestone]
    return [
        _milestone(world, place, number, month, here, creator) for number, month in enumerate(_months(world), start=1)
    ]


def milestone_of(world: World, thread: Thread, found: Sequence[Record]) -> Record | None:
    """The milestone of the month in which the thread began, if it is in one."""
    if not thread.in_milestone:
        return None
    begun = thread.work.created_at.date()
    return found[bisect_right(_months(world), begun) - 1]


@lru_cache(maxsize=4)
def _months(world: World) -> Sequence[date]:
    """The first day of the world and of each later month."""
    return [day for day in world.days() if day == world.start or day.day == 1]


def _milestone(
    world: World, place: int, number: int, month: date, threads: Sequence[Thread], creator: Developer
) -> Record:
    following = (month.replace(day=1) + timedelta(days=32)).replace(day=1)
    begins, ends = (datetime.combine(day, time(8), UTC) for day in (month, following))
    inside = [thread for thread in threads if month <= thread.work.created_at.date() < following]
    closed = sum(thread.closed_at is not None for thread in inside)
    closed_at = ends if ends <= world.horizon else None
    moves = (at for thread in inside for at in (thread.work.created_at, thread.closed_at) if at)
    number_of_all = 11_000_000 + place * 1000 + number
    here = f"{API}/repos/{full_name(place)}/milestones/{number}"
    return {
        "url": here,
        "html_url": f"{WEB}/{full_name(place)}/milestone/{number}",
        "labels_url": f"{here}/labels",
        "id": number_of_all,
        "node_id": f"MI_{number_of_all}",
        "number": number,
        "title": f"{month:%B %Y}",
        "description": f"What {records.REPOSITORIES[place][0]} shall have by the end of {month:%B}",
        "creator": person(creator),
        "open_issues": len(inside) - closed,
        "closed_issues": closed,
        "state": "closed" if closed_at else "open",
        "created_at": iso(begins),
        "updated_at": iso(max([begins, *moves, *([closed_at] if closed_at else [])])),
        "due_on": iso(datetime.combine(following - timedelta(days=1), time(8), UTC)),
        "closed_at": iso(closed_at) if closed_at else None,
    }
