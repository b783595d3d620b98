"""Who is in the workspace: the team, some customers as guests, and the app that reads and posts."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Literal

from airbyte_sandbox.people import Person, population
from airbyte_sandbox.team import TEAM, Colleague
from airbyte_sandbox.words import ascii_letters
from airbyte_sandbox.world import World, token

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_GUESTS = 0.2
# Names and seconds of the zones' winters.
_ZONES = {
    "US": ("America/New_York", "Eastern Standard Time", -18_000),
    "DE": ("Europe/Berlin", "Central European Time", 3_600),
    "FR": ("Europe/Paris", "Central European Time", 3_600),
    "GB": ("Europe/London", "Greenwich Mean Time", 0),
    "JP": ("Asia/Tokyo", "Japan Standard Time", 32_400),
}


@dataclass(frozen=True)
class Member:
    """One account of the workspace."""

    id: str
    kind: Literal["team", "guest", "app", "slackbot"]
    login: str
    first_name: str
    last_name: str
    email: str | None
    job: str
    phone: str
    zone: tuple[str, str, int]
    joined_at: datetime
    develops: bool = False

    @property
    def name(self) -> str:
        """The full name."""
        return f"{self.first_name} {self.last_name}".strip()


def founded_at(world: World) -> datetime:
    """When the workspace was made."""
    return datetime.combine(world.start - timedelta(days=420), time(9), UTC)


def team_id(world: World) -> str:
    """The id of the workspace."""
    return token(world.dice("slack", "workspace"), "T0", 9, LETTERS)


@lru_cache(maxsize=4)
def members(world: World) -> tuple[Member, ...]:
    """Everyone who is there by the last day, in order of arrival."""
    guests = [_guest(world, person) for person in population(world) if _is_guest(world, person)]
    return (_slackbot(world), *(_colleague(world, one) for one in TEAM), _app(world), *guests)


@lru_cache(maxsize=4)
def by_email(world: World) -> dict[str, Member]:
    """The members by their addresses, which are those of all tools."""
    return {member.email: member for member in members(world) if member.email}


def app(world: World) -> Member:
    """The bot user of the app whose token reads the workspace."""
    return next(member for member in members(world) if member.kind == "app")


def team(world: World) -> list[Member]:
    """The members who work for the company."""
    return [member for member in members(world) if member.kind == "team"]


def _is_guest(world: World, person: Person) -> bool:
    """Who contributes to the code is here, and some of the companies."""
    return bool(person.login) or bool(person.company and world.dice("slack guest", person.number).random() < _GUESTS)


def _id(world: World, *key: object) -> str:
    return token(world.dice("slack user", *key), "U0", 9, LETTERS)


def _colleague(world: World, one: Colleague) -> Member:
    joined = founded_at(world) + timedelta(hours=one.number)
    names = (one.login, one.first_name, one.last_name, one.email)
    return Member(_id(world, one.login), "team", *names, one.job, "", _ZONES["DE"], joined, develops=True)


def _guest(world: World, person: Person) -> Member:
    login = (
        person.login or f"{ascii_letters(person.first_name)}.{ascii_letters(person.last_name)}{person.number}".lower()
    )
    return Member(
        id=_id(world, person.number),
        kind="guest",
        login=login,
        first_name=person.first_name,
        last_name=person.last_name,
        email=person.email,
        job=person.company or "",
        phone=person.phone or "",
        zone=_ZONES[person.country.code],
        joined_at=person.joined_at,
        develops=bool(person.login),
    )


def _app(world: World) -> Member:
    joined = founded_at(world) + timedelta(days=1)
    return Member(_id(world, "app"), "app", "notices", "Notices", "", None, "", "", _ZONES["US"], joined, develops=True)


def _slackbot(world: World) -> Member:
    return Member("USLACKBOT", "slackbot", "slackbot", "Slackbot", "", None, "", "", _ZONES["US"], founded_at(world))
