"""How the help desk shows a ticket and its rating as they are at a horizon."""

from datetime import datetime

from airbyte_sandbox.cases import Case, Turn
from airbyte_sandbox.schema import Record
from airbyte_sandbox.zendesk_support import ids
from airbyte_sandbox.zendesk_support.ids import iso

_TYPES = {"bug": "incident", "how_to": "question", "billing": "problem", "shipping": "task", "account": "task"}


def ticket(case: Case, horizon: datetime) -> Record:
    """A ticket as the incremental export has it; one that was deleted stays in it under that status."""
    turns = case.until(horizon)
    number, status, changed = ids.ticket(case), case.status(horizon), turns[-1].at
    assigned = any(turn.kind == "assigned" for turn in turns)
    return {
        "id": number,
        "url": ids.url("tickets", number),
        "external_id": None,
        "via": via(case, turns[0]),
        "created_at": iso(case.created_at),
        "updated_at": iso(changed),
        "generated_timestamp": int(changed.timestamp()),
        "type": _TYPES[case.topic] if assigned else None,
        "subject": case.subject,
        "raw_subject": case.subject,
        "description": turns[0].text,
        "priority": case.priority if assigned else None,
        "status": status,
        "custom_status_id": None,
        "recipient": "support@sandbox-labs.example" if case.channel == "email" else None,
        "requester_id": ids.end_user(case.requester),
        "submitter_id": ids.end_user(case.requester),
        "assignee_id": ids.agent(case.agent) if assigned else None,
        "organization_id": ids.organisation(case.requester.company),
        "group_id": ids.group(case.agent) if assigned else ids.GROUPS["Support"],
        "collaborator_ids": [],
        "follower_ids": [],
        "email_cc_ids": [],
        "forum_topic_id": None,
        "problem_id": None,
        "has_incidents": False,
        "is_public": True,
        "due_at": None,
        "tags": tags(case, assigned),
        "custom_fields": _fields(case, assigned),
        "fields": _fields(case, assigned),
        "satisfaction_rating": _rating_of_ticket(case, turns),
        "sharing_agreement_ids": [],
        "followup_ids": [],
        "ticket_form_id": ids.FORM,
        "brand_id": ids.BRAND,
        "allow_channelback": False,
        "allow_attachments": True,
        "from_messaging_channel": False,
    }


def rating(case: Case, horizon: datetime) -> Record | None:
    """What the requester was asked about the ticket and has answered so far; None before the question."""
    turns = [turn for turn in case.until(horizon) if turn.kind in ("offered", "rated")]
    if not turns:
        return None
    number = ids.rating(case)
    return {
        "id": number,
        "url": ids.url("satisfaction_ratings", number),
        "ticket_id": ids.ticket(case),
        "requester_id": ids.end_user(case.requester),
        "assignee_id": ids.agent(case.agent),
        "group_id": ids.group(case.agent),
        "score": case.score if turns[-1].kind == "rated" else "offered",
        "comment": turns[-1].text,
        "reason": "No reason provided" if turns[-1].kind == "rated" else None,
        "reason_id": None,
        "reason_code": 0 if turns[-1].kind == "rated" else None,
        "created_at": iso(turns[0].at),
        "updated_at": iso(turns[-1].at),
    }


def tags(case: Case, assigned: bool) -> list[str]:
    """What agents and rules put onto it."""
    return [case.topic] if assigned else []


def via(case: Case, turn: Turn) -> Record:
    """By which way a turn came, with the addresses of an e-mail."""
    if turn.by == "rule":
        rule = {"id": ids.AUTOMATION, "title": "Request customer satisfaction rating", "deleted": False}
        return {"channel": "rule", "source": {"from": rule, "to": {}, "rel": "automation"}}
    channel = case.channel if turn.by == "requester" else "web"
    source: Record = {"from": {}, "to": {}, "rel": None}
    if channel == "email":
        source["from"] = {"address": case.requester.email, "name": case.requester.name}
        source["to"] = {"address": "support@sandbox-labs.example", "name": "Sandbox Labs"}
    return {"channel": channel, "source": source}


def _fields(case: Case, assigned: bool) -> list[Record]:
    return [{"id": ids.AREA_FIELD, "value": case.topic if assigned else None}]


def _rating_of_ticket(case: Case, turns: list[Turn]) -> Record:
    asked = [turn for turn in turns if turn.kind in ("offered", "rated")]
    if not asked:
        return {"score": "unoffered"}
    if asked[-1].kind == "offered":
        return {"score": "offered"}
    return {"score": case.score, "id": ids.rating(case), "comment": asked[-1].text, "reason": None}
