"""How long answering takes: the figures of a ticket, and the events they are made from."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import pairwise

from airbyte_sandbox.cases import Case, Turn
from airbyte_sandbox.schema import Record
from airbyte_sandbox.zendesk_support import ids
from airbyte_sandbox.zendesk_support.ids import iso

OPENS, CLOSES = 9, 17
"""The hours of the schedule, from Monday to Friday in UTC."""
_WITH_TEAM = ("new", "open")


def metric_set(case: Case, horizon: datetime) -> Record | None:
    """A ticket's figures at the horizon; a deleted ticket has none."""
    turns = case.until(horizon)
    if turns[-1].kind == "deleted":
        return None
    number, solved = ids.metric_set(case), _at(turns, "solved")
    assigned = _at(turns, "assigned")
    return {
        "id": number,
        "url": ids.url("ticket_metrics", number),
        "ticket_id": ids.ticket(case),
        "created_at": iso(case.created_at),
        "updated_at": iso(turns[-1].at),
        "group_stations": 1,
        "assignee_stations": len(assigned),
        "reopens": len(_at(turns, "reopened")),
        "replies": len(_replies(turns)),
        "assignee_updated_at": _iso([turn.at for turn in turns if turn.by == "agent"][-1:]),
        "requester_updated_at": _iso([turn.at for turn in turns if turn.by == "requester"][-1:]),
        "status_updated_at": _iso([turn.at for turn in turns if turn.status][-1:]),
        "custom_status_updated_at": None,
        "initially_assigned_at": _iso(assigned),
        "assigned_at": _iso(assigned),
        "solved_at": _iso(solved[-1:]),
        "latest_comment_added_at": _iso([turn.at for turn in turns if turn.text and turn.kind != "rated"][-1:]),
        "reply_time_in_minutes": _span(case.created_at, _replies(turns)[:1]),
        "reply_time_in_seconds": {"calendar": _seconds(case.created_at, _replies(turns)[:1])},
        "first_resolution_time_in_minutes": _span(case.created_at, solved[:1]),
        "full_resolution_time_in_minutes": _span(case.created_at, solved[-1:]),
        "agent_wait_time_in_minutes": _spent(turns, ("pending",)),
        "requester_wait_time_in_minutes": _spent(turns, _WITH_TEAM),
        "on_hold_time_in_minutes": {"calendar": 0, "business": 0},
    }


def metric_events(case: Case, horizon: datetime) -> list[Record]:
    """What started, paused and fulfilled the ticket's metrics until the horizon, oldest first."""
    return [
        {
            "id": ids.metric_event(case, place),
            "ticket_id": ids.ticket(case),
            "metric": metric,
            "instance_id": instance,
            "type": kind,
            "time": iso(at),
            **more,
        }
        for place, (at, metric, instance, kind, more) in enumerate(_metric_events(case))
        if at <= horizon
    ]


def _metric_events(case: Case) -> Iterator[tuple[datetime, str, int, str, Record]]:
    begun, replied, waits = case.created_at, False, 1
    for metric in ("agent_work_time", "reply_time", "requester_wait_time", "resolution_time"):
        yield begun, metric, 0, "measure", {}
    for metric in ("reply_time", "requester_wait_time", "resolution_time"):
        yield begun, metric, 1, "activate", {}
    for turn in case.turns:
        if turn.by == "agent" and turn.text and not replied:
            replied = True
            yield turn.at, "reply_time", 1, "fulfill", {}
            yield turn.at, "reply_time", 1, "update_status", {"status": _minutes(begun, turn.at)}
        if turn.kind == "answered":
            yield turn.at, "requester_wait_time", waits, "pause", {}
        if turn.kind == "replied":
            yield turn.at, "requester_wait_time", waits, "activate", {}
        if turn.kind == "solved":
            yield turn.at, "requester_wait_time", waits, "fulfill", {}
            yield turn.at, "resolution_time", waits, "fulfill", {}
            yield turn.at, "resolution_time", waits, "update_status", {"status": _minutes(begun, turn.at)}
        if turn.kind == "reopened":
            waits += 1
            yield turn.at, "requester_wait_time", waits, "activate", {}
            yield turn.at, "resolution_time", waits, "activate", {}


def _replies(turns: list[Turn]) -> list[datetime]:
    return [turn.at for turn in turns if turn.by == "agent" and turn.text]


def _at(turns: list[Turn], kind: str) -> list[datetime]:
    return [turn.at for turn in turns if turn.kind == kind]


def _iso(moments: list[datetime]) -> str | None:
    return iso(moments[0]) if moments else None


def _span(begun: datetime, ended: list[datetime]) -> Record:
    if not ended:
        return {"calendar": None, "business": None}
    return {**_minutes(begun, ended[0])}


def _seconds(begun: datetime, ended: list[datetime]) -> int | None:
    return int((ended[0] - begun).total_seconds()) if ended else None


def _spent(turns: list[Turn], statuses: tuple[str, ...]) -> Record:
    """Time in these statuses; what has not ended yet does not count, as in the API."""
    moved = [turn for turn in turns if turn.status]
    spans = [(one.at, other.at) for one, other in pairwise(moved) if one.status in statuses]
    if not spans:
        return {"calendar": None, "business": None}
    found = [_minutes(*span) for span in spans]
    return {kind: sum(minutes[kind] for minutes in found) for kind in ("calendar", "business")}


def _minutes(begun: datetime, ended: datetime) -> dict[str, int]:
    """Whole minutes by the clock, and those of the schedule among them."""
    business, day = timedelta(), begun.date()
    while day <= ended.date():
        if day.weekday() < 5:
            opens, closes = (datetime.combine(day, time(hour), begun.tzinfo) for hour in (OPENS, CLOSES))
            business += max(min(closes, ended) - max(opens, begun), timedelta())
        day += timedelta(days=1)
    return {"calendar": int((ended - begun).total_seconds() // 60), "business": int(business.total_seconds() // 60)}
