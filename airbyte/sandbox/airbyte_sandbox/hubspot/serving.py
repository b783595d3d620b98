"""How the CRM shows a support case as a ticket."""

from datetime import datetime

from airbyte_sandbox.cases import Case, Turn
from airbyte_sandbox.hubspot import settings
from airbyte_sandbox.hubspot.values import CrmObject, properties

_CATEGORIES = {
    "billing": "BILLING_ISSUE",
    "shipping": "GENERAL_INQUIRY",
    "account": "GENERAL_INQUIRY",
    "bug": "PRODUCT_ISSUE",
    "how_to": "GENERAL_INQUIRY",
}
_PRIORITIES = {"low": "LOW", "normal": "MEDIUM", "high": "HIGH", "urgent": "URGENT"}
_SOURCES = {"email": "EMAIL", "web": "FORM", "api": "CHAT"}


def ticket_id(case: Case) -> int:
    """The id of a case's ticket."""
    return 2_400_000_000 + case.number


def ticket(case: Case, horizon: datetime) -> CrmObject:
    """A ticket in the stage it has reached."""
    turns = [turn for turn in case.until(horizon) if turn.status or turn.text]
    status, changed = case.status(horizon), turns[-1].at
    replies = [turn.at for turn in turns if turn.by == "agent" and turn.text]
    closed = _closed_at(turns) if status in ("solved", "closed") else None
    own = properties(
        hs_object_id=ticket_id(case),
        hs_ticket_id=ticket_id(case),
        subject=case.subject,
        content=turns[0].text,
        hs_pipeline="0",
        hs_pipeline_stage=settings.TICKET_STAGES[status],
        hs_ticket_priority=_PRIORITIES[case.priority],
        hs_ticket_category=_CATEGORIES[case.topic],
        source_type=_SOURCES[case.channel],
        createdate=case.created_at,
        hs_lastmodifieddate=changed,
        closed_date=closed,
        first_agent_reply_date=replies[0] if replies else None,
        time_to_first_agent_reply=_milliseconds(case.created_at, replies[0]) if replies else None,
        time_to_close=_milliseconds(case.created_at, closed) if closed else None,
        hs_num_times_contacted=len(replies),
        num_notes=sum(turn.kind == "reopened" for turn in turns),
        hubspot_owner_id=settings.owner_id(case.agent),
        hubspot_owner_assigneddate=case.created_at,
    )
    return CrmObject(str(ticket_id(case)), case.created_at, changed, own)


def _closed_at(turns: list[Turn]) -> datetime:
    return [turn.at for turn in turns if turn.kind == "solved"][-1]


def _milliseconds(begun: datetime, ended: datetime) -> int:
    return int((ended - begun).total_seconds() * 1000)
