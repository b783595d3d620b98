"""The help desk over HTTP, as Zendesk Support's public API answers."""

from collections.abc import Callable, Mapping, Sequence

from airbyte_sandbox.cases import Case
from airbyte_sandbox.schema import Record
from airbyte_sandbox.server.api import ApiError, Call, Handler, Reply, ToolApi
from airbyte_sandbox.server.credentials import basic, bearer
from airbyte_sandbox.zendesk_support import audits, ids, refusals
from airbyte_sandbox.zendesk_support.exports import by_cursor, by_time
from airbyte_sandbox.zendesk_support.lists import TOOL, Records, listing, whole
from airbyte_sandbox.zendesk_support.numbers import whole_number
from airbyte_sandbox.zendesk_support.records import case_of, streams


def credential(headers: Mapping[str, str], path: str) -> str | None:
    """The token behind `address/token`, or an OAuth access token; a password is none."""
    user, token = basic(headers) or ("", "")
    return token or None if user.endswith("/token") and "@" in user else bearer(headers, path)


def configuration(base_url: str, key: str) -> dict[str, object]:
    """The connector's configuration, as an administrator."""
    credentials = {"credentials": "api_token", "email": "ashby@sandbox-labs.example", "api_token": key}
    return {"subdomain": ids.SUBDOMAIN, "credentials": credentials, "base_url": base_url}


def _of(stream: str) -> Records:
    return lambda call: streams(call.account.world)[stream]


def _case(call: Call) -> Case:
    found = case_of(call.account.world, call.path_parameters["ticket_id"].removesuffix(".json"))
    if found is None:
        raise ApiError(refusals.NOT_FOUND)
    return found


def _of_ticket(records: Callable[..., list[Record]]) -> Records:
    return lambda call: records(_case(call), call.account.world.horizon)


def _tickets(call: Call) -> list[Record]:
    return [_plain(ticket) for ticket in streams(call.account.world)["tickets"] if ticket["status"] != "deleted"]


def _plain(ticket: Record) -> Record:
    return {name: value for name, value in ticket.items() if name != "generated_timestamp"}


def _exported_tickets(call: Call, page: Sequence[Record]) -> list[Record]:
    tickets = call.account.drifted(TOOL, "tickets", page)
    if "metric_sets" not in (call.one("include") or "").split(","):
        return tickets
    known = streams(call.account.world)["ticket_metrics"]
    figures = {one["ticket_id"]: one for one in call.account.drifted(TOOL, "ticket_metrics", known)}
    return [{**ticket, "metric_set": figures.get(before["id"])} for ticket, before in zip(tickets, page, strict=True)]


def _exported_events(call: Call, page: Sequence[Record]) -> list[Record]:
    whole_comments = "comment_events" in (call.one("include") or "").split(",")

    def child(event: Record) -> Record:
        if event["event_type"] != "Comment":
            return event
        if whole_comments:
            return call.account.drifted(TOOL, "ticket_comments", [event])[0]
        kept = {name: event[name] for name in ("id", "via", "via_reference_id", "event_type")}
        return {**kept, "comment_present": True, "comment_public": event["public"]}

    return [{**event, "child_events": [child(each) for each in event["child_events"]]} for event in page]


def _exported(stream: str) -> Callable[[Call, Sequence[Record]], list[Record]]:
    return lambda call, page: call.account.drifted(TOOL, stream, page)


def _ratings(call: Call) -> list[Record]:
    """Filtered by `score`, `start_time` and `end_time` of their last change."""
    scores, begin, end = call.one("score"), call.one("start_time"), call.one("end_time")
    wanted = {"received": ("good", "bad")}.get(scores or "", (scores,))
    return [
        rating
        for rating in streams(call.account.world)["satisfaction_ratings"]
        if (scores is None or rating["score"] in wanted)
        and (begin is None or _moment(call, "start_time", begin) <= rating["updated_at"])
        and (end is None or rating["updated_at"] < _moment(call, "end_time", end))
    ]


def _moment(call: Call, name: str, given: str) -> str:
    number = whole_number(given)
    if number is None or number >= 10**11:
        raise refusals.invalid(call, name, "an integer")
    return ids.moment(number)


def _one_ticket(call: Call) -> Reply:
    number = ids.ticket(_case(call))
    found = [ticket for ticket in streams(call.account.world)["tickets"] if ticket["id"] == number]
    return Reply(200, {"ticket": call.account.drifted(TOOL, "tickets", [_plain(found[0])])[0]})


def _me(call: Call) -> Reply:
    return Reply(200, {"user": next(user for user in streams(call.account.world)["users"] if user["role"] == "admin")})


_EXPORTS = {
    "tickets/cursor": by_cursor("tickets", _exported_tickets),
    "tickets": by_time("tickets", _exported_tickets),
    "users/cursor": by_cursor("users", _exported("users")),
    "users": by_time("users", _exported("users")),
    "organizations": by_time("organizations", _exported("organizations")),
    "ticket_events": by_time("ticket_events", _exported_events),
    "ticket_metric_events": by_time("ticket_metric_events", _exported("ticket_metric_events")),
}
_PAGED = (
    *("users", "organizations", "groups", "group_memberships"),
    *("ticket_fields", "ticket_metrics", "macros", "brands"),
)
_PATHS: dict[str, Handler] = {
    **{f"incremental/{name}": handler for name, handler in _EXPORTS.items()},
    "users/me": _me,
    **{name: listing(name, _of(name)) for name in _PAGED},
    "tickets": listing("tickets", _tickets),
    "tags": listing("tags", _of("tags"), key="name"),
    "satisfaction_ratings": listing("satisfaction_ratings", _ratings),
    "tickets/{ticket_id}/audits": listing("ticket_audits", _of_ticket(audits.audits), name="audits"),
    "tickets/{ticket_id}/comments": listing("ticket_comments", _of_ticket(audits.comments), name="comments"),
    "tickets/{ticket_id}": _one_ticket,
    "ticket_forms": whole("ticket_forms", _of("ticket_forms")),
    "slas/policies": whole("sla_policies", _of("sla_policies")),
    "business_hours/schedules": whole("schedules", _of("schedules")),
    "custom_roles": whole("custom_roles", _of("custom_roles")),
    # Of another plan.
    "audit_logs": refusals.forbidden,
}

API = ToolApi(
    name=TOOL,
    routes={f"GET /api/v2/{path}{end}": handler for path, handler in _PATHS.items() for end in (".json", "")},
    credential=credential,
    configuration=configuration,
    # The help desk was set up before the first day.
    start=lambda first_day: {"start_date": f"{first_day.year - 2}-01-01T00:00:00Z"},
    key_prefix="zd_test_",
    unauthorised=refusals.UNAUTHORISED,
    rate_limited=refusals.RATE_LIMITED,
    server_error=refusals.SERVER_ERROR,
    not_found=refusals.UNKNOWN_PATH,
)
