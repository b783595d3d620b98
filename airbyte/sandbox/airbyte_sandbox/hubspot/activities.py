"""What sales and support do about deals and cases: calls, e-mails, meetings, notes and tasks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from airbyte_sandbox.cases import Case
from airbyte_sandbox.hubspot.contacts import Contact
from airbyte_sandbox.hubspot.deals import LOST, WON, Deal
from airbyte_sandbox.team import Colleague

Kind = Literal["calls", "emails", "meetings", "notes", "tasks"]
_PLACES: tuple[Kind, ...] = ("calls", "emails", "meetings", "notes", "tasks")


@dataclass(frozen=True)
class Activity:
    """One activity; what changes it later, such as the end of a meeting, does not show before."""

    id: int
    kind: Kind
    contact: Contact
    owner: Colleague
    title: str
    body: str
    begun_at: datetime
    done_at: datetime | None = None
    """When a meeting is over or a task is done."""
    planned_at: datetime | None = None
    """When a meeting begins or a task is due."""
    deal: Deal | None = None
    case: Case | None = None
    is_incoming: bool = False

    def is_done(self, horizon: datetime) -> bool:
        """Whether it is over by then."""
        return self.done_at is not None and self.done_at <= horizon

    def changed_at(self, horizon: datetime) -> datetime:
        """Its last change by then."""
        return self.done_at if self.done_at and self.done_at <= horizon else self.begun_at


def of_deal(deal: Deal, horizon: datetime) -> Iterator[Activity]:
    """What was done about a deal until the horizon."""
    for place, found in enumerate(_about(deal)):
        kind, title, body, begun, planned, done = found
        if begun <= horizon:
            number = deal.id * 100 + place * 10 + _PLACES.index(kind)
            owner = deal.contact.owner
            yield Activity(number, kind, deal.contact, owner, title, body, begun, done, planned, deal=deal)


def of_case(case: Case, contact: Contact, horizon: datetime) -> Iterator[Activity]:
    """What was said about a case until the horizon, and a note where it came up again."""
    for place, turn in enumerate(case.until(horizon)):
        number = 700_000_000_000 + case.number * 1000 + place * 10
        if turn.kind == "reopened":
            yield Activity(number + 3, "notes", contact, case.agent, "", "Came up again.", turn.at, case=case)
        if turn.text and turn.kind != "rated":
            incoming = turn.by == "requester"
            yield Activity(
                number + 1, "emails", contact, case.agent, case.subject, turn.text, turn.at,
                case=case, is_incoming=incoming,
            )  # fmt: skip


_Planned = tuple[Kind, str, str, datetime, datetime | None, datetime | None]


def _about(deal: Deal) -> Iterator[_Planned]:
    who, what = deal.contact.first_name, deal.lines[0].product
    for stage, at in deal.stages:
        match stage:
            case "appointmentscheduled":
                yield "emails", f"{what} for you", f"Hello {who}, shall we talk?", at, None, None
                yield "calls", f"First call with {who}", f"Interested in {what}.", at, None, None
            case "qualifiedtobuy":
                yield "notes", "", f"Budget for {what} is there.", at, None, None
            case "presentationscheduled":
                begins = at + timedelta(days=1)
                ends = begins + timedelta(hours=1)
                yield "meetings", f"{what} presentation", "We show it.", at, begins, ends
            case "contractsent":
                due = at + timedelta(days=3)
                done = min(due, deal.stages[-1][1])
                yield "emails", f"Your contract for {what}", "Please find it attached.", at, None, None
                yield "tasks", f"Ask {who} about the contract", "Call if nothing came.", at, due, done
            case "closedwon" | "closedlost":
                assert stage in (WON, LOST)
                yield "notes", "", "Signed." if stage == WON else "Not this year.", at, None, None
