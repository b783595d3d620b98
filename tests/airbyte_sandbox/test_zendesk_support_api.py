"""The sandbox's Zendesk Support over HTTP: exports and lists that add up, refusals in its form, lives of tickets."""

import base64
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime

import httpx
import pytest
from airbyte_sandbox import words
from airbyte_sandbox.people import population
from airbyte_sandbox.server.accounts import Accounts, read_account
from airbyte_sandbox.server.credentials import key_of
from airbyte_sandbox.server.running import serving
from airbyte_sandbox.team import TEAM
from airbyte_sandbox.world import World
from airbyte_sandbox.zendesk_support.api import API

WORLD = World(10, 60, date(2026, 3, 3), date(2026, 5, 1))
SETTINGS = {"seed": 10, "customers": 60, "start": "2026-03-03", "end": "2026-05-01"}
LISTS = ("groups", "group_memberships", "ticket_fields", "satisfaction_ratings", "macros", "brands", "tags", "users")
WHOLE = {
    "ticket_forms": "ticket_forms",
    "slas/policies": "sla_policies",
    "business_hours/schedules": "schedules",
    "custom_roles": "custom_roles",
}
EXPORTS = ("tickets", "users", "organizations", "ticket_events", "ticket_metric_events")
_ENDLESS = "9" * 5000


class Desk:
    """An account's Zendesk as a client sees it."""

    def __init__(self, url: str, key: str) -> None:
        self.url = f"{url}/zendesk-support/api/v2"
        self.client = httpx.Client(auth=("ashby@sandbox-labs.example/token", key))

    def get(self, path: str, **query: object) -> httpx.Response:
        return self.client.get(f"{self.url}/{path}", params=query)

    def read(self, link: str) -> dict:
        assert link.startswith(self.url)
        return self.client.get(link).raise_for_status().json()

    def exported(self, name: str, size: int = 1000, **query: object) -> list[dict]:
        """By time, as long as there is more; rows of the second between two pages come twice."""
        found, start = [], 0
        while True:
            body = self.get(f"incremental/{name}.json", start_time=start, per_page=size, **query).json()
            found += body[name]
            assert body["count"] == len(body[name])
            if body["end_of_stream"]:
                return found
            assert body["end_time"] > start and f"start_time={body['end_time']}" in body["next_page"]
            start = body["end_time"]

    def listed(self, path: str, name: str, size: int = 100, **query: object) -> list[dict]:
        body = self.get(path, **{"page[size]": size, **query}).json()
        found = body[name]
        while body["meta"]["has_more"]:
            body = self.read(body["links"]["next"])
            found += body[name]
        return found


@pytest.fixture(scope="module")
def accounts() -> Accounts:
    failing = {**SETTINGS, "faults": [{"tool": "zendesk-support", "kind": "rate_limit", "every": 1}]}
    drift = {"tool": "zendesk-support", "stream": "ticket_comments", "kind": "drop_field", "field": "plain_body"}
    named = {"acme": SETTINGS, "failing": failing, "drifting": {**SETTINGS, "drifts": [drift]}}
    named["later"] = {**SETTINGS, "end": "2026-05-02"}
    return Accounts(accounts=[read_account(name, settings) for name, settings in named.items()])


@pytest.fixture(scope="module")
def desks(accounts: Accounts) -> Iterator[dict[str, Desk]]:
    with serving(accounts, [API]) as url:
        yield {each.name: Desk(url, key_of(each, API)) for each in accounts.all()}


@pytest.fixture(scope="module")
def desk(desks: dict[str, Desk]) -> Desk:
    return desks["acme"]


@pytest.fixture(scope="module")
def tickets(desk: Desk) -> list[dict]:
    return desk.exported("tickets", include="metric_sets")


@pytest.mark.parametrize("name", ["tickets", "users"])
def test_the_cursor_export_gives_everything_once_and_then_what_is_new(desk, desks, name):
    whole = desk.get(f"incremental/{name}/cursor.json", start_time=0).json()
    assert whole["end_of_stream"] and whole["before_cursor"] is None
    body = desk.get(f"incremental/{name}/cursor.json", start_time=0, per_page=7).json()
    found = body[name]
    while not body["end_of_stream"]:
        assert len(body[name]) == 7
        body = desk.read(body["after_url"])
        found += body[name]
    assert found == whole[name] and len(found) > 20
    assert len({each["id"] for each in found}) == len(found)
    after = desk.get(f"incremental/{name}/cursor.json", cursor=body["after_cursor"]).json()
    assert (after[name], after["after_cursor"], after["end_of_stream"]) == ([], body["after_cursor"], True)
    later = desks["later"].get(f"incremental/{name}/cursor.json", cursor=body["after_cursor"]).json()[name]
    assert later and {each["updated_at"][:10] for each in later} == {"2026-05-02"}


@pytest.mark.parametrize("name", EXPORTS)
def test_the_time_export_adds_up_with_the_boundary_twice_at_most(desk, name):
    whole = desk.exported(name)
    paged = desk.exported(name, size=max(len(whole) // 9, 2))
    times = Counter(each["id"] for each in paged)
    assert set(times) == {each["id"] for each in whole} and len(whole) == len({each["id"] for each in whole})
    assert max(times.values()) <= 2 and len(paged) > len(whole) > 5


def test_an_export_begins_with_its_start_time(desk, tickets):
    moments = [each["generated_timestamp"] for each in tickets]
    assert moments == sorted(moments)
    since = moments[len(moments) // 2]
    body = desk.get("incremental/tickets.json", start_time=since).json()
    assert [each["generated_timestamp"] for each in body["tickets"]] == [each for each in moments if each >= since]
    empty = desk.get("incremental/tickets.json", start_time=moments[-1] + 1).json()
    assert empty == {"tickets": [], "count": 0, "end_time": None, "next_page": None, "end_of_stream": True}


@pytest.mark.parametrize("name", LISTS)
def test_lists_add_up_by_cursor_and_by_number(desk, name):
    by_cursor = desk.listed(f"{name}.json", name)
    assert by_cursor and desk.listed(name, name, size=2) == by_cursor
    first = desk.get(name, per_page=2).json()
    assert (first[name], first["count"], first["previous_page"]) == (by_cursor[:2], len(by_cursor), None)
    if first["next_page"]:
        assert desk.read(first["next_page"])[name] == by_cursor[2:4]


def test_a_list_goes_back_too(desk):
    first = desk.get("ticket_fields.json", **{"page[size]": 3}).json()
    second = desk.read(first["links"]["next"])
    assert first["links"]["prev"] is None
    assert desk.read(second["links"]["prev"])["ticket_fields"] == first["ticket_fields"]


@pytest.mark.parametrize("path", WHOLE)
def test_lists_without_pages_are_whole(desk, path):
    body = desk.get(f"{path}.json").json()
    assert len(body[WHOLE[path]]) == body["count"] > 0 and body["next_page"] is None


def test_requesters_are_people_of_the_world_and_their_organisations_its_companies(desk, tickets):
    users = {each["id"]: each for each in desk.exported("users")}
    organisations = {each["id"]: each for each in desk.exported("organizations")}
    people = {person.email: person for person in population(WORLD)}
    for ticket in tickets:
        requester = users[ticket["requester_id"]]
        person = people[requester["email"]]
        assert (requester["name"], requester["role"]) == (person.name, "end-user")
        assert requester["created_at"] <= ticket["created_at"] and ticket["created_at"] > f"{person.joined_at:%FT%TZ}"
        organisation = organisations.get(ticket["organization_id"])
        assert (organisation["name"] if organisation else None) == person.company
        assert organisation is None or organisation["domain_names"] == [words.domain(person.company)]
        assert ticket["assignee_id"] is None or users[ticket["assignee_id"]]["role"] == "agent"
    team = {each["email"] for each in users.values() if each["role"] != "end-user"}
    assert len(team) > 2 and team <= {found.email for found in TEAM}


def test_audits_tell_a_tickets_life(desk, tickets):
    comments = Counter(each["ticket_id"] for each in comments_of(desk))
    for ticket in [one for one in tickets if one["status"] != "deleted"][-20:]:
        audits = desk.listed(f"tickets/{ticket['id']}/audits.json", "audits", size=3)
        events = [event for audit in audits for event in audit["events"]]
        changes = [event for event in events if event.get("field_name") == "status"]
        assert [event["value"] for event in changes][-1] == ticket["status"]
        assert [event["previous_value"] for event in changes[1:]] == [event["value"] for event in changes[:-1]]
        assert audits[0]["created_at"] == ticket["created_at"] and audits[-1]["created_at"] == ticket["updated_at"]
        said = [event["body"] for event in events if event["type"] == "Comment"]
        assert said[0] == ticket["description"] and len(said) == comments[ticket["id"]]
        listed = desk.get(f"tickets/{ticket['id']}/comments.json").json()["comments"]
        assert [each["body"] for each in listed] == said
    assert {ticket["status"] for ticket in tickets} == {"open", "pending", "solved", "closed", "deleted"}


def test_a_deleted_ticket_is_in_the_export_alone(desk, tickets):
    deleted = [ticket for ticket in tickets if ticket["status"] == "deleted"]
    assert deleted and all(ticket["metric_set"] is None for ticket in deleted)
    for path in ("tickets/{}/audits.json", "tickets/{}.json"):
        reply = desk.get(path.format(deleted[0]["id"]))
        assert (reply.status_code, reply.json()["error"]) == (404, "RecordNotFound")
    listed = {each["id"] for each in desk.listed("tickets.json", "tickets")}
    assert listed == {ticket["id"] for ticket in tickets} - {ticket["id"] for ticket in deleted}


def test_figures_come_with_the_tickets_where_they_are_asked_for(desk, tickets):
    assert "metric_set" not in desk.exported("tickets")[0]
    first = {}
    for event in desk.exported("ticket_metric_events"):
        if (event["metric"], event["type"]) == ("reply_time", "update_status"):
            first[event["ticket_id"]] = event["status"]
    figures = [ticket["metric_set"] for ticket in tickets if ticket["metric_set"]]
    for found in figures:
        waited = found["reply_time_in_minutes"]
        assert waited == first.get(found["ticket_id"], {"calendar": None, "business": None})
        assert waited["calendar"] is None or waited["calendar"] >= waited["business"] >= 0
        assert (found["solved_at"] is None) == (found["full_resolution_time_in_minutes"]["calendar"] is None)
    assert sum(found["replies"] for found in figures) > len(figures) / 2


def test_comments_come_with_the_events_where_they_are_asked_for(desk, desks):
    asked = comments_of(desk)
    assert len({each["id"] for each in asked}) == len(asked) > 50 and all(each["body"] for each in asked)
    events = [child for event in desk.exported("ticket_events") for child in event["child_events"]]
    silent = [each for each in events if each["event_type"] == "Comment"]
    assert len(silent) == len(asked) and all(each["comment_present"] and "body" not in each for each in silent)
    assert all("plain_body" not in each for each in comments_of(desks["drifting"]))


def test_ratings_are_those_of_the_tickets(desk, tickets):
    ratings = desk.listed("satisfaction_ratings.json", "satisfaction_ratings")
    by_ticket = {each["ticket_id"]: each for each in ratings}
    assert len(by_ticket) == len(ratings)
    for ticket in tickets:
        assert ticket["satisfaction_rating"]["score"] == by_ticket.get(ticket["id"], {"score": "unoffered"})["score"]
    for score in ("good", "bad", "offered"):
        found = desk.listed("satisfaction_ratings.json", "satisfaction_ratings", size=2, score=score)
        assert found == [each for each in ratings if each["score"] == score] and found
    since = datetime.fromisoformat("2026-04-01T00:00:00Z").timestamp()
    found = desk.listed("satisfaction_ratings.json", "satisfaction_ratings", start_time=int(since))
    assert found == [each for each in ratings if each["updated_at"] >= "2026-04-01"] != ratings


def test_a_further_day_changes_nothing_without_a_later_stamp(desks):
    moved = 0
    for name in ("tickets", "users", "organizations", "ticket_metrics", "satisfaction_ratings", "macros"):
        before, after = (
            {each["id"]: each for each in desks[account].listed(f"{name}.json", name)} for account in ("acme", "later")
        )
        assert before.keys() <= after.keys()
        for number, each in before.items():
            assert each["updated_at"] < "2026-05-02"
            if after[number] != each:
                assert after[number]["updated_at"] > "2026-05-02", (name, each, after[number])
                moved += 1
    assert moved


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("incremental/tickets/cursor.json", 400, "Invalid attribute"),
        ("incremental/tickets/cursor.json?cursor=x", 400, "Invalid attribute"),
        ("incremental/users.json?start_time={now}", 400, "StartTimeTooRecent"),
        ("groups.json?page[size]=101", 400, "InvalidPaginationParameter"),
        ("groups.json?page[after]=x", 400, "InvalidPaginationParameter"),
        ("groups.json?page=zero", 400, "Invalid attribute"),
        (f"groups.json?page={_ENDLESS}", 400, "Invalid attribute"),
        (f"groups.json?page[size]={_ENDLESS}", 400, "InvalidPaginationParameter"),
        (f"incremental/users.json?start_time={_ENDLESS}", 400, "Invalid attribute"),
        (f"incremental/users.json?start_time=0&per_page={_ENDLESS}", 400, "Invalid attribute"),
        (f"tickets/{_ENDLESS}/audits.json", 404, "RecordNotFound"),
        ("audit_logs.json", 403, "Forbidden"),
        ("tickets/999999/audits.json", 404, "RecordNotFound"),
        ("unicorns.json", 404, "InvalidEndpoint"),
    ],
    ids=[
        "no start",
        "no cursor",
        "a start just now",
        "a large page",
        "no place",
        "no number",
        "an endless number",
        "an endless page",
        "an endless start",
        "an endless export",
        "an endless ticket",
        "no right",
        "no ticket",
        "-",
    ],
)
def test_refusals_have_the_form_of_the_api(desk, path, status, error):
    reply = desk.client.get(f"{desk.url}/{path.format(now=int(time.time()))}")
    body = reply.json()
    said = body["errors"][0]["code"] if "errors" in body else body["error"]
    assert (reply.status_code, said["title"] if isinstance(said, dict) else said) == (status, error)


def test_tokens_open_the_door_and_passwords_do_not(desk, desks):
    key = base64.b64decode(desk.client.get(f"{desk.url}/users/me.json").request.headers["authorization"][6:])
    token = key.decode().split(":")[1]
    assert httpx.get(f"{desk.url}/groups.json", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    mail = "ashby@sandbox-labs.example"
    for name, given in ((mail, token), (f"{mail}/token", "wrong"), ("/token", token)):
        reply = httpx.get(f"{desk.url}/groups.json", auth=(name, given))
        assert (reply.status_code, reply.json()) == (401, {"error": "Couldn't authenticate you"})
    assert httpx.get(f"{desk.url}/groups.json").status_code == 401
    limited = desks["failing"].get("groups.json")
    assert (limited.status_code, limited.json()["error"]) == (429, "APIRateLimitExceeded")
    assert int(limited.headers["Retry-After"]) > 0


def comments_of(desk: Desk) -> list[dict]:
    events = desk.exported("ticket_events", include="comment_events")
    children = [{**child, "ticket_id": event["ticket_id"]} for event in events for child in event["child_events"]]
    return [child for child in children if child["event_type"] == "Comment"]
