"""Who is in the help desk: the team that answers, everyone who ever asked, and the companies they are of."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from airbyte_sandbox import words
from airbyte_sandbox.cases import ANSWERING, cases
from airbyte_sandbox.people import Person
from airbyte_sandbox.schema import Record
from airbyte_sandbox.team import TEAM
from airbyte_sandbox.world import World
from airbyte_sandbox.zendesk_support import ids
from airbyte_sandbox.zendesk_support.ids import iso
from airbyte_sandbox.zendesk_support.settings import opened_at

_ZONES = {
    "US": ("Eastern Time (US & Canada)", "America/New_York", "en-US"),
    "DE": ("Berlin", "Europe/Berlin", "de"),
    "FR": ("Paris", "Europe/Paris", "fr"),
    "GB": ("London", "Europe/London", "en-GB"),
    "JP": ("Tokyo", "Asia/Tokyo", "ja"),
}
_LOCALES = {"en-US": 1, "de": 8, "fr": 16, "en-GB": 1176, "ja": 67}


def users(world: World) -> list[Record]:
    """The team, then each requester since the first ticket; a visit to the portal is the last change."""
    return [*_agents(world), *_end_users(world)]


def organisations(world: World) -> list[Record]:
    """The companies of the requesters, each since the first of them asked."""
    since: dict[str, datetime] = {}
    for case in cases(world):
        if case.requester.company:
            since.setdefault(case.requester.company, case.created_at)
    return [_organisation(company, at) for company, at in since.items()]


def groups(world: World) -> list[Record]:
    """The groups in which the team answers."""
    at = iso(opened_at(world))
    return [
        {
            "id": number,
            "url": ids.url("groups", number),
            "name": name,
            "description": "",
            "default": name == "Support",
            "deleted": False,
            "is_public": True,
            "created_at": at,
            "updated_at": at,
        }
        for name, number in ids.GROUPS.items()
    ]


def memberships(world: World) -> list[Record]:
    """Who answers in which group."""
    at = iso(opened_at(world))
    return [
        {
            "id": ids.agent(found) + 10_000,
            "url": ids.url("group_memberships", ids.agent(found) + 10_000),
            "user_id": ids.agent(found),
            "group_id": ids.group(found),
            "default": True,
            "created_at": at,
            "updated_at": at,
        }
        for found in ANSWERING
    ]


def _agents(world: World) -> Iterator[Record]:
    for colleague in TEAM:
        answers = colleague in ANSWERING
        if not (answers or colleague.number == 0):
            continue
        at = opened_at(world) + timedelta(hours=colleague.number)
        yield {
            **_user(ids.agent(colleague), colleague.name, colleague.email, "GB", at),
            "updated_at": iso(at),
            "role": "agent" if answers else "admin",
            "role_type": 0 if answers else 4,
            "custom_role_id": None,
            "moderator": True,
            "restricted_agent": False,
            "ticket_restriction": None,
            "default_group_id": ids.group(colleague) if answers else ids.GROUPS["Support"],
            "signature": f"{colleague.first_name}, Sandbox Labs",
        }


def _end_users(world: World) -> Iterator[Record]:
    first: dict[int, tuple[Person, datetime]] = {}
    seen: dict[int, datetime] = {}
    for case in cases(world):
        first.setdefault(case.requester.number, (case.requester, case.created_at))
        if case.channel == "web":
            visits = [turn.at for turn in case.until(world.horizon) if turn.by == "requester"]
            number = case.requester.number
            seen[number] = max([*visits, seen.get(number, visits[0])])
    for person, at in first.values():
        last = seen.get(person.number)
        yield {
            **_user(ids.end_user(person), person.name, person.email, person.country.code, at),
            "updated_at": iso(max(at, last or at)),
            "phone": person.phone,
            "organization_id": ids.organisation(person.company),
            "last_login_at": iso(last) if last else None,
            "role": "end-user",
        }


def _user(number: int, name: str, email: str, country: str, at: datetime) -> Record:
    zone, iana, locale = _ZONES[country]
    return {
        "id": number,
        "url": ids.url("users", number),
        "name": name,
        "email": email,
        "alias": None,
        "phone": None,
        "shared_phone_number": None,
        "role": "end-user",
        "role_type": None,
        "custom_role_id": None,
        "organization_id": None,
        "default_group_id": None,
        "external_id": None,
        "active": True,
        "verified": True,
        "suspended": False,
        "moderator": False,
        "chat_only": False,
        "shared": False,
        "shared_agent": False,
        "restricted_agent": True,
        "only_private_comments": False,
        "permanently_deleted": False,
        "report_csv": False,
        "two_factor_auth_enabled": None,
        "ticket_restriction": "requested",
        "time_zone": zone,
        "iana_time_zone": iana,
        "locale": locale,
        "locale_id": _LOCALES[locale],
        "tags": [],
        "details": None,
        "notes": None,
        "signature": None,
        "photo": None,
        "user_fields": {},
        "last_login_at": None,
        "created_at": iso(at),
    }


def _organisation(company: str, at: datetime) -> Record:
    number = ids.organisation(company)
    assert number is not None
    return {
        "id": number,
        "url": ids.url("organizations", number),
        "name": company,
        "external_id": None,
        "domain_names": [words.domain(company)],
        "tags": [],
        "details": None,
        "notes": None,
        "group_id": None,
        "shared_tickets": False,
        "shared_comments": False,
        "organization_fields": {},
        "created_at": iso(at),
        "updated_at": iso(at),
        "deleted_at": None,
    }
