"""The channels of the workspace and who is in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from airbyte_sandbox.slack.members import LETTERS, Member, members
from airbyte_sandbox.world import World, token

_OPEN_TO = Literal["all", "team", "developers", "few"]


@dataclass(frozen=True)
class Plan:
    """A channel as it was meant."""

    name: str
    purpose: str
    open_to: _OPEN_TO
    has_app: bool = True
    is_private: bool = False
    is_archived: bool = False


PLANS = (
    Plan("general", "Announcements, and who has joined", "all"),
    Plan("random", "What has no place elsewhere", "team"),
    Plan("orders", "Every order of the shop, and what becomes of it", "team"),
    Plan("support", "Tickets of the help desk", "team"),
    Plan("engineering", "Pull requests and how they are", "developers"),
    Plan("community", "Customers ask, we answer", "all"),
    Plan("leadership", "Plans before they are announced", "few", has_app=False),
    Plan("old-launch", "The launch, which is over", "team", is_archived=True),
    Plan("finance", "Month ends", "few", is_private=True),
)


@dataclass(frozen=True)
class Channel:
    """A channel with its members by the last day."""

    id: str
    number: int
    plan: Plan
    members: Sequence[Member]


@lru_cache(maxsize=4)
def channels(world: World) -> tuple[Channel, ...]:
    """Every channel, oldest first; what the app is not in is here too."""
    return tuple(
        Channel(channel_id(world, plan.name), number, plan, [found for found in members(world) if _is_in(plan, found)])
        for number, plan in enumerate(PLANS)
    )


def channel_id(world: World, name: str) -> str:
    """The id of a channel."""
    return token(world.dice("slack channel", name), "C0", 9, LETTERS)


def _is_in(plan: Plan, member: Member) -> bool:
    if member.kind == "slackbot":
        return False
    if member.kind == "app":
        return plan.has_app
    match plan.open_to:
        case "all":
            return True
        case "team":
            return member.kind == "team"
        case "developers":
            return member.develops
        case _:
            return member.kind == "team" and member.job in ("Head of product", "Account executive")
