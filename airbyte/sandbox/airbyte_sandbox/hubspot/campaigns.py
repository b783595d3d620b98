"""The e-mail campaigns: a letter every second Tuesday to everyone sales knows."""

from datetime import UTC, datetime, time, timedelta

from airbyte_sandbox.hubspot.contacts import contacts
from airbyte_sandbox.hubspot.values import milliseconds
from airbyte_sandbox.schema import Record
from airbyte_sandbox.world import World

_APP, _APP_NAME = 113, "Batch"
_FIRST = 115_429_000
_SUBJECTS = ("What is new", "Tips for your team", "A customer's story", "Save the date", "Best of the blog")
_BEFORE = 8
"""Letters of the time before the first day."""


def campaigns(world: World) -> list[Record]:
    """Every letter that was sent until the last day, the latest first as in the API."""
    tuesday = world.start + timedelta(days=(1 - world.start.weekday()) % 7)
    found: list[Record] = []
    day = tuesday - timedelta(days=14 * _BEFORE)
    while day <= world.end:
        found.append(_campaign(world, len(found), datetime.combine(day, time(9), UTC)))
        day += timedelta(days=14)
    return found[::-1]


def _campaign(world: World, number: int, at: datetime) -> Record:
    dice = world.dice("campaign", number)
    known = sum(contact.known_at < at for contact in contacts(world))
    bounced = round(known * 0.02)
    opened = round((known - bounced) * dice.uniform(0.2, 0.45))
    ended = at + timedelta(seconds=60 + known)
    name = f"{_SUBJECTS[number % len(_SUBJECTS)]}, {at.date().isoformat()}"
    return {
        "id": _FIRST + number,
        "appId": _APP,
        "appName": _APP_NAME,
        "contentId": 42_931_000_000 + number,
        "name": name,
        "subject": _SUBJECTS[number % len(_SUBJECTS)],
        "type": "BATCH_EMAIL",
        "processingState": "DONE",
        "numIncluded": known,
        "numQueued": 0,
        "counters": {
            "processed": known,
            "sent": known,
            "delivered": known - bounced,
            "bounce": bounced,
            "open": opened,
            "click": round(opened * 0.15),
        },
        "lastUpdatedTime": milliseconds(ended),
        "lastProcessingStartedAt": milliseconds(at),
        "lastProcessingFinishedAt": milliseconds(ended),
        "lastProcessingStateChangeAt": milliseconds(ended),
    }
