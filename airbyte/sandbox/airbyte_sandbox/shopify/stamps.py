"""Moments and ids as the API writes them."""

from datetime import datetime, timedelta, timezone

ZONE, ZONE_NAME = timezone(timedelta(hours=-7)), "America/Phoenix"
"""The shop's zone, which has one offset all year."""


def stamp(at: datetime) -> str:
    """In the shop's zone, to the second."""
    return at.astimezone(ZONE).isoformat(timespec="seconds")


def optional_stamp(at: datetime | None) -> str | None:
    """The same for what may not have happened."""
    return stamp(at) if at else None


def graphql_id(kind: str, number: int) -> str:
    """The id under which the GraphQL API knows the same thing."""
    return f"gid://shopify/{kind}/{number}"
