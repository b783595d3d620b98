"""The numbers by which the help desk knows things; a thing keeps its number however the world grows."""

from datetime import UTC, datetime

from airbyte_sandbox import words
from airbyte_sandbox.cases import Case
from airbyte_sandbox.people import Person
from airbyte_sandbox.team import Colleague

SUBDOMAIN = "sandbox-labs"
HOST = f"https://{SUBDOMAIN}.zendesk.example"
BRAND, FORM, TRIGGER, AUTOMATION = 360_000_358_001, 360_000_084_001, 360_021_281_001, 360_021_281_002
AREA_FIELD = 360_002_833_101
GROUPS = {"Support": 360_003_074_001, "Success": 360_003_074_002}
_USERS, _AGENTS, _ORGANISATIONS = 361_089_000_000, 360_786_000_000, 360_033_549_000
_METRIC_SETS, _RATINGS = 5_527_000_000_000, 4_992_000_000_000
_AUDITS, _METRIC_EVENTS = 7_100_000_000_000, 5_900_000_000_000


def ticket(case: Case) -> int:
    """Of a case's ticket, counted from one as in any new help desk."""
    return case.number + 1


def end_user(person: Person) -> int:
    """Of a requester."""
    return _USERS + person.number


def agent(colleague: Colleague) -> int:
    """Of one of the team."""
    return _AGENTS + colleague.number


def group(colleague: Colleague) -> int:
    """Of the group in which a colleague answers."""
    return GROUPS["Success" if colleague.job == "Customer success" else "Support"]


def organisation(company: str | None) -> int | None:
    """Of a requester's company."""
    return _ORGANISATIONS + words.COMPANIES.index(company) if company else None


def metric_set(case: Case) -> int:
    """Of the figures of a ticket."""
    return _METRIC_SETS + case.number * 16


def rating(case: Case) -> int:
    """Of what a requester says about a ticket."""
    return _RATINGS + case.number * 16


def audit(case: Case, place: int) -> int:
    """Of the turn at that place; the events in it have the numbers after it."""
    return _AUDITS + case.number * 4096 + place * 16


def metric_event(case: Case, place: int) -> int:
    """Of the metric event at that place."""
    return _METRIC_EVENTS + case.number * 4096 + place


def url(name: str, number: int) -> str:
    """Where the API has a thing."""
    return f"{HOST}/api/v2/{name}/{number}.json"


def iso(at: datetime) -> str:
    """A moment as the API writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(seconds: int) -> str:
    """A moment that was given in seconds."""
    return iso(datetime.fromtimestamp(seconds, UTC))
