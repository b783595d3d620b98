"""What happened to a ticket: its audits, and the same as the export of ticket events tells it."""

from collections.abc import Iterator
from datetime import datetime

from airbyte_sandbox.cases import Case, Turn
from airbyte_sandbox.schema import Record
from airbyte_sandbox.zendesk_support import ids, tickets
from airbyte_sandbox.zendesk_support.ids import iso

_MAIL = {"email": "Mail", "web": "Web form", "api": "Web service"}


def audits(case: Case, horizon: datetime) -> list[Record]:
    """Every audit of a ticket until the horizon, oldest first."""
    return [
        {
            "id": ids.audit(case, place),
            "ticket_id": ids.ticket(case),
            "created_at": iso(turn.at),
            "author_id": _author(case, turn),
            "metadata": {"system": {}, "custom": {}},
            "events": list(_events(case, place, turn)),
            "via": tickets.via(case, turn),
        }
        for place, turn in enumerate(case.until(horizon))
    ]


def ticket_events(case: Case, horizon: datetime) -> list[Record]:
    """The audits as the incremental export has them, their comments whole."""
    return [
        {
            "id": ids.audit(case, place),
            "ticket_id": ids.ticket(case),
            "timestamp": int(turn.at.timestamp()),
            "created_at": iso(turn.at),
            "updater_id": _author(case, turn),
            "via": "Automation" if turn.by == "rule" else _MAIL[case.channel if turn.by == "requester" else "web"],
            "system": {},
            "metadata": {},
            "event_type": "Audit",
            "child_events": [_child(case, place, turn, event) for event in _events(case, place, turn)],
        }
        for place, turn in enumerate(case.until(horizon))
    ]


def comments(case: Case, horizon: datetime) -> list[Record]:
    """What was said, oldest first."""
    turns = enumerate(case.until(horizon))
    events = ((place, turn, event) for place, turn in turns for event in _events(case, place, turn))
    return [
        {**event, "audit_id": ids.audit(case, place), "via": tickets.via(case, turn), "created_at": iso(turn.at)}
        for place, turn, event in events
        if event["type"] == "Comment"
    ]


def _child(case: Case, place: int, turn: Turn, event: Record) -> Record:
    if event["type"] == "Comment":
        about = {"audit_id": ids.audit(case, place), "created_at": iso(turn.at), "via_reference_id": None}
        return {**event, **about, "via": tickets.via(case, turn), "event_type": "Comment"}
    if event["type"] in ("Change", "Create"):
        changed = {event["field_name"]: event["value"], "previous_value": event.get("previous_value")}
        return {"id": event["id"], "via": "Web form", "via_reference_id": None, **changed, "event_type": event["type"]}
    return {"id": event["id"], "via": "Rule", "via_reference_id": ids.TRIGGER, "event_type": event["type"]}


def _events(case: Case, place: int, turn: Turn) -> Iterator[Record]:
    """The comment first, then each field that changes, then whom the help desk tells."""
    number = ids.audit(case, place)
    if turn.text and turn.kind != "rated":
        number += 1
        yield {"id": number, **_comment(case, turn)}
    for name, value, before in _changes(case, place, turn):
        number += 1
        kind = "Create" if turn.kind == "created" else "Change"
        previous = {} if kind == "Create" else {"previous_value": before}
        yield {"id": number, "type": kind, "field_name": name, "value": value, **previous}
    if turn.by != "requester" and (turn.text or turn.kind == "offered"):
        subject = f"Request #{ids.ticket(case)}: {case.subject}"
        yield {"id": number + 1, "type": "Notification", "subject": subject, "body": turn.text or "How did we do?",
               "recipients": [ids.end_user(case.requester)]}  # fmt: skip


def _comment(case: Case, turn: Turn) -> Record:
    return {
        "type": "Comment",
        "author_id": _author(case, turn),
        "body": turn.text,
        "html_body": f'<div class="zd-comment" dir="auto">{turn.text}</div>',
        "plain_body": turn.text,
        "public": True,
        "attachments": [],
    }


def _changes(case: Case, place: int, turn: Turn) -> Iterator[tuple[str, str | None, str | None]]:
    before = [found.status for found in case.turns[:place] if found.status]
    if turn.kind == "created":
        yield "subject", case.subject, None
        yield "requester_id", str(ids.end_user(case.requester)), None
    if turn.kind == "assigned":
        yield "assignee_id", str(ids.agent(case.agent)), None
        yield "priority", case.priority, None
        yield "tags", case.topic, None
    if turn.status:
        yield "status", turn.status, before[-1] if before else None
    if turn.kind == "offered":
        yield "satisfaction_score", "offered", "unoffered"
    if turn.kind == "rated":
        yield "satisfaction_score", case.score, "offered"


def _author(case: Case, turn: Turn) -> int:
    """Rules write under the number -1."""
    if turn.by == "rule":
        return -1
    return ids.agent(case.agent) if turn.by == "agent" else ids.end_user(case.requester)
