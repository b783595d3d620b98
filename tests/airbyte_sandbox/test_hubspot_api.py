"""The sandbox's HubSpot over HTTP: lists that add up, refusals in its form, people and deals that go together."""

from collections.abc import Iterator
from datetime import date, datetime

import httpx
import pytest
from airbyte_sandbox import TOOLS
from airbyte_sandbox.hubspot.api import API
from airbyte_sandbox.hubspot.definitions import TYPES
from airbyte_sandbox.people import population
from airbyte_sandbox.server.accounts import Accounts, read_account
from airbyte_sandbox.server.credentials import key_of
from airbyte_sandbox.server.running import serving
from airbyte_sandbox.team import TEAM
from airbyte_sandbox.world import World

WORLD = World(7, 120, date(2026, 3, 3), date(2026, 5, 31))
SETTINGS = {"seed": 7, "customers": 120, "start": "2026-03-03", "end": "2026-05-31"}
Objects = dict[str, dict]


class Portal:
    """An account's HubSpot as a client sees it."""

    def __init__(self, url: str, key: str) -> None:
        self.url = f"{url}/hubspot"
        self._client = httpx.Client(headers={"Authorization": f"Bearer {key}"})

    def get(self, path: str, **query: object) -> httpx.Response:
        return self._client.get(self.url + path, params=query)

    def post(self, path: str, body: object) -> httpx.Response:
        return self._client.post(self.url + path, json=body)

    def whole(self, path: str, **query: object) -> list[dict]:
        found, link = [], str(httpx.URL(self.url + path, params=query))
        while link:
            assert link.startswith(self.url)
            body = self._client.get(link).raise_for_status().json()
            found += body["results"]
            link = body.get("paging", {}).get("next", {}).get("link")
        return found

    def objects(self, kind: str) -> Objects:
        names = [each["name"] for each in self.get(f"/crm/v3/properties/{kind}").json()["results"]]
        others = ",".join(each for each in TYPES if each != kind)
        query = {"limit": 100, "properties": ",".join(names), "associations": others}
        return {each["id"]: each for each in self.whole(f"/crm/v3/objects/{kind}", **query)}


@pytest.fixture(scope="module")
def accounts() -> Accounts:
    later = {**SETTINGS, "end": "2026-06-01"}
    failing = {**SETTINGS, "faults": [{"tool": "hubspot", "kind": "rate_limit", "every": 1}]}
    drift = {
        "tool": "hubspot",
        "stream": "contacts",
        "kind": "add_field",
        "field": "properties.shoe_size",
        "value": "41",
    }
    named = {"acme": SETTINGS, "later": later, "failing": failing, "drifting": {**SETTINGS, "drifts": [drift]}}
    return Accounts(accounts=[read_account(name, settings) for name, settings in named.items()])


@pytest.fixture(scope="module")
def url(accounts: Accounts) -> Iterator[str]:
    with serving(accounts, [API]) as found:
        yield found


@pytest.fixture(scope="module")
def portals(url: str, accounts: Accounts) -> dict[str, Portal]:
    return {each.name: Portal(url, key_of(each, API)) for each in accounts.all()}


@pytest.fixture(scope="module")
def portal(portals: dict[str, Portal]) -> Portal:
    return portals["acme"]


@pytest.fixture(scope="module")
def data(portal: Portal) -> dict[str, Objects]:
    return {kind: portal.objects(kind) for kind in TYPES}


@pytest.mark.parametrize("kind", TYPES)
def test_small_pages_add_up_to_the_whole(portal, data, kind):
    found = [each["id"] for each in portal.whole(f"/crm/v3/objects/{kind}", limit=min(len(data[kind]) // 3, 90))]
    assert found == sorted(data[kind], key=int)
    assert len(found) > 3


@pytest.mark.parametrize("kind", TYPES)
def test_every_property_is_text_and_defined(portal, data, kind):
    defined = {each["name"] for each in portal.get(f"/crm/v3/properties/{kind}").json()["results"]}
    values = [value for each in data[kind].values() for value in each["properties"].values()]
    assert all(value is None or isinstance(value, str) for value in values)
    assert {name for each in data[kind].values() for name in each["properties"]} == defined
    inside = {each["properties"]["hs_object_id"] for each in data[kind].values()}
    assert inside == set(data[kind])


def test_properties_are_those_that_are_asked_for(portal):
    one = portal.get("/crm/v3/objects/deals", limit=1).json()["results"][0]
    assert {"dealname", "amount", "dealstage", "closedate"} <= set(one["properties"]) and len(one["properties"]) == 8
    asked = portal.get("/crm/v3/objects/deals", limit=1, properties="dealtype,no_such_one").json()["results"][0]
    assert set(asked["properties"]) == {"dealtype", "createdate", "hs_lastmodifieddate", "hs_object_id"}
    assert "associations" not in asked
    again = portal.get(f"/crm/v3/objects/deals/{one['id']}").json()
    assert again == one


def test_associations_go_both_ways_and_lead_to_what_is_there(data):
    count = 0
    for kind, objects in data.items():
        for number, each in objects.items():
            for name, found in each.get("associations", {}).items():
                other = name.replace(" ", "_")
                for link in found["results"]:
                    back = data[other][link["id"]]["associations"][kind.replace("_", " ")]["results"]
                    assert number in {one["id"] for one in back}
                    count += 1
    assert count > 500
    company = next(each for each in data["deals"].values() if "companies" in each["associations"])
    labels = [one["type"] for one in company["associations"]["companies"]["results"]]
    assert labels == ["deal_to_company", "deal_to_company_unlabeled"]


def test_contacts_are_the_people_of_the_world_and_some_who_never_buy(data):
    people = {person.email for person in population(WORLD)}
    emails = {each["properties"]["email"]: each["properties"]["lifecyclestage"] for each in data["contacts"].values()}
    assert {email for email, stage in emails.items() if stage == "customer"} == people
    assert {"lead", "opportunity"} <= set(emails.values())


def test_who_won_deals_are_about_is_a_customer_in_the_other_tools(data):
    customers = {each["email"].lower() for each in TOOLS["stripe"].records(WORLD)["customers"]}
    customers |= {each["email"] for each in TOOLS["shopify"].records(WORLD)["customers"]}
    won = [each for each in data["deals"].values() if each["properties"]["dealstage"] == "closedwon"]
    for deal in won:
        (contact,) = deal["associations"]["contacts"]["results"]
        assert data["contacts"][contact["id"]]["properties"]["email"] in customers
    assert len(won) > 10


def test_deals_move_through_the_stages_and_are_worth_their_lines(portal, data):
    (pipeline,) = portal.get("/crm-pipelines/v1/pipelines/deals").json()["results"]
    stages = [stage["stageId"] for stage in pipeline["stages"]]
    for deal in data["deals"].values():
        values = deal["properties"]
        entered = [(values[f"hs_date_entered_{stage}"], stage) for stage in stages]
        moments = [at for at, _ in entered if at]
        assert moments == sorted(moments) and entered[0][0] == deal["createdAt"]
        assert max(one for one in entered if one[0])[1] == values["dealstage"]
        lines = [data["line_items"][one["id"]] for one in deal["associations"]["line items"]["results"]]
        assert sum(int(line["properties"]["amount"]) for line in lines) == int(values["amount"])
    assert {each["properties"]["dealstage"] for each in data["deals"].values()} >= {
        "closedwon",
        "closedlost",
        stages[0],
    }


def test_the_team_owns_what_there_is(portal, data):
    owners = {each["id"]: each for each in portal.whole("/crm/v3/owners", limit=2)}
    assert {each["email"] for each in owners.values()} == {found.email for found in TEAM}
    named = {each["properties"].get("hubspot_owner_id") for kind in data.values() for each in kind.values()}
    assert named - {None} <= set(owners)
    (one,) = portal.get("/crm/v3/owners", email=TEAM[2].email).json()["results"]
    assert one["firstName"] == TEAM[2].first_name


def test_archived_contacts_are_asked_for_by_name(portal, data):
    archived = portal.whole("/crm/v3/objects/contacts", archived="true")
    assert archived and all(each["archived"] and each["archivedAt"] == each["updatedAt"] for each in archived)
    assert not {each["id"] for each in archived} & set(data["contacts"])
    assert portal.get(f"/crm/v3/objects/contacts/{archived[0]['id']}").status_code == 404


def test_nothing_is_of_the_future(data):
    for objects in data.values():
        for each in objects.values():
            assert each["createdAt"] <= each["updatedAt"] <= "2026-05-31T23:59:59.000Z"


def test_a_further_day_changes_nothing_without_a_later_stamp(portals, data):
    moved = 0
    for kind, before in data.items():
        after = portals["later"].objects(kind)
        for number, each in before.items():
            if after.get(number) != each and number in after:
                assert after[number]["updatedAt"] > "2026-06-01", (kind, each, after[number])
                moved += 1
        added = [each for number, each in after.items() if number not in before]
        assert all(each["createdAt"] > "2026-06-01" or kind == "contacts" for each in added)
    assert moved


def test_search_finds_what_the_lists_have(portal, data):
    won = {"propertyName": "dealstage", "operator": "EQ", "value": "closedwon"}
    large = {"propertyName": "amount", "operator": "GTE", "value": "1000"}
    asked = {"filterGroups": [{"filters": [won, large]}], "sorts": ["amount"], "limit": 3, "properties": ["amount"]}
    first = portal.post("/crm/v3/objects/deals/search", asked).json()
    rest = portal.post(
        "/crm/v3/objects/deals/search", {**asked, "limit": 200, "after": first["paging"]["next"]["after"]}
    )
    amounts = [int(each["properties"]["amount"]) for each in first["results"] + rest.json()["results"]]
    deals = [each["properties"] for each in data["deals"].values()]
    wanted = [int(each["amount"]) for each in deals if each["dealstage"] == "closedwon" and int(each["amount"]) >= 1000]
    assert amounts == sorted(wanted) and first["total"] == len(wanted) > 3
    since = {"propertyName": "hs_lastmodifieddate", "operator": "GT", "value": "2026-05-01T00:00:00Z"}
    recent = portal.post("/crm/v3/objects/deals/search", {"filterGroups": [{"filters": [since]}], "limit": 200}).json()
    assert recent["total"] == sum(each["hs_lastmodifieddate"] > "2026-05-01" for each in deals)
    unknown = {"filterGroups": [{"filters": [{**won, "propertyName": "no_such_one"}]}]}
    assert portal.post("/crm/v3/objects/deals/search", unknown).status_code == 400


def test_campaigns_are_listed_by_id_and_read_one_by_one(portal):
    found, offset = [], None
    while True:
        body = portal.get("/email/public/v1/campaigns", limit=4, **({"offset": offset} if offset else {})).json()
        found += body["campaigns"]
        offset = body["offset"]
        if not body["hasMore"]:
            break
    assert len({each["id"] for each in found}) == len(found) > 8
    one = portal.get(f"/email/public/v1/campaigns/{found[0]['id']}").json()
    assert one["counters"]["sent"] == one["numIncluded"] >= one["counters"]["open"] > 0
    assert datetime.fromisoformat("2026-06-01T00:00:00Z").timestamp() * 1000 > found[0]["lastUpdatedTime"]
    assert portal.get("/email/public/v1/campaigns/1").status_code == 404


@pytest.mark.parametrize(
    ("path", "status", "category"),
    [
        ("/crm/v3/objects/quotes", 403, "MISSING_SCOPES"),
        ("/crm/v3/objects/unicorns", 400, "VALIDATION_ERROR"),
        ("/crm/v3/objects/contacts?limit=101", 400, "VALIDATION_ERROR"),
        ("/crm/v3/objects/contacts?after=x", 400, "VALIDATION_ERROR"),
        (f"/crm/v3/objects/contacts?limit={'9' * 5000}", 400, "VALIDATION_ERROR"),
        (f"/crm/v3/objects/contacts?after={'9' * 5000}", 400, "VALIDATION_ERROR"),
        ("/crm/v3/objects/contacts?associations=unicorns", 400, "VALIDATION_ERROR"),
        ("/crm/v3/objects/contacts/1", 404, "OBJECT_NOT_FOUND"),
        ("/crm/v9/objects", 404, "OBJECT_NOT_FOUND"),
    ],
    ids=[
        "no scope",
        "no type",
        "a large page",
        "no cursor",
        "an endless limit",
        "an endless cursor",
        "no association",
        "no object",
        "no address",
    ],
)
def test_refusals_have_their_category(portal, path, status, category):
    reply = portal._client.get(portal.url + path)
    assert (reply.status_code, reply.json()["category"], reply.json()["status"]) == (status, category, "error")


def test_wrong_tokens_and_used_up_limits_are_refused(url, portals):
    for headers in ({}, {"Authorization": "Bearer pat-na1-wrong"}):
        reply = httpx.get(f"{url}/hubspot/crm/v3/owners", headers=headers)
        assert (reply.status_code, reply.json()["category"]) == (401, "INVALID_AUTHENTICATION")
    reply = portals["failing"].get("/crm/v3/owners")
    assert (reply.status_code, reply.json()["policyName"]) == (429, "TEN_SECONDLY_ROLLING")
    assert int(reply.headers["Retry-After"]) > 0


def test_a_drift_of_properties_shows_in_their_list_and_in_the_records(portals):
    names = [each["name"] for each in portals["drifting"].get("/crm/v3/properties/contacts").json()["results"]]
    assert "shoe_size" in names
    page = portals["drifting"].get("/crm/v3/objects/contacts", properties="email,shoe_size").json()["results"]
    assert {each["properties"]["shoe_size"] for each in page} == {"41"}
