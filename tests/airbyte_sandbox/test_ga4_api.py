"""The web analytics over HTTP: reports that add up, what Google refuses, and tokens for keys."""

import time
from collections import Counter
from datetime import date, timedelta

import httpx
import jwt
import pytest
from airbyte_sandbox.ga4.api import API
from airbyte_sandbox.people import population
from airbyte_sandbox.server.account import Account, Fault
from airbyte_sandbox.server.accounts import Accounts
from airbyte_sandbox.server.credentials import key_of
from airbyte_sandbox.server.drifts import Drift
from airbyte_sandbox.server.running import serving
from airbyte_sandbox.shopify.sales import orders
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

START = date(2026, 3, 3)
ACCOUNT = Account(name="small", customers=60, start=START, end=START + timedelta(days=39))
NEXT_DAY = Account(name="later", customers=60, start=START, end=START + timedelta(days=40))
LIMITED = Account(
    name="limited", customers=5, start=START, end=START, faults=(Fault("ga4", "rate_limit", every=1, seconds=3),)
)
DRIFTED = Account(
    name="drifted", customers=5, start=START, end=START, drifts=(Drift("ga4", "pages", "drop_field", "bounceRate"),)
)
WHOLE = [{"startDate": "2026-03-03", "endDate": "2026-04-11"}]
ADDING = ["sessions", "newUsers", "engagedSessions"]


class Analytics:
    """One account's property, asked with an access token."""

    def __init__(self, client: httpx.Client, account: Account) -> None:
        self.client = client
        self.settings = API.configuration("", key_of(account, API))
        credentials = {name: value for name, value in self.settings["credentials"].items() if name != "auth_type"}
        granted = client.post("/ga4/token", data={"grant_type": "refresh_token", **credentials}).json()
        self.headers = {"Authorization": f"{granted['token_type']} {granted['access_token']}"}

    def ask(self, body: object, number: str | None = None, verb: str = "runReport") -> httpx.Response:
        path = f"/ga4/v1beta/properties/{number or self.settings['property_ids'][0]}:{verb}"
        return self.client.post(path, json=body, headers=self.headers)

    def report(self, dimensions: list[str], metrics: list[str], **more: object) -> dict:
        asked = {"dateRanges": WHOLE, "dimensions": named(dimensions), "metrics": named(metrics), **more}
        answer = self.ask(asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows(self, dimensions: list[str], metrics: list[str], **more: object) -> dict[tuple, tuple]:
        return {
            tuple(one["value"] for one in row.get("dimensionValues", [])): tuple(
                float(one["value"]) for one in row["metricValues"]
            )
            for row in self.report(dimensions, metrics, **more)["rows"]
        }


def named(names: list[str]) -> list[dict]:
    return [{"name": name} for name in names]


@pytest.fixture(scope="module")
def client():
    accounts = Accounts(accounts=[ACCOUNT, NEXT_DAY, LIMITED, DRIFTED])
    with serving(accounts, [API]) as url, httpx.Client(base_url=url) as found:
        yield found


@pytest.fixture(scope="module")
def analytics(client) -> Analytics:
    return Analytics(client, ACCOUNT)


@pytest.fixture(scope="module")
def signing_key():
    return generate_private_key(65537, 2048)


@pytest.mark.parametrize(
    "split",
    [
        ["sessionSource", "sessionMedium"],
        ["deviceCategory", "operatingSystem", "browser"],
        ["sessionDefaultChannelGroup"],
        ["country"],
    ],
    ids=["sources", "devices", "channels", "countries"],
)
def test_a_days_visits_add_up_over_every_split(analytics, split):
    days = analytics.rows(["date"], [*ADDING, "screenPageViews", "keyEvents", "totalUsers"])
    parts = analytics.rows(["date", *split], [*ADDING, "screenPageViews", "keyEvents", "totalUsers"])
    assert len(days) == 40 and len(parts) > 2 * len(days)
    for (day,), (*totals, users) in days.items():
        mine = [values for (of_day, *_), values in parts.items() if of_day == day]
        assert [sum(column) for column in zip(*mine, strict=True)][:-1] == totals
        assert max(values[-1] for values in mine) <= users <= sum(values[-1] for values in mine)


def test_views_add_up_over_pages_and_rates_are_shares(analytics):
    days = analytics.rows(["date"], ["screenPageViews", "sessions", "bounceRate", "screenPageViewsPerSession"])
    pages = analytics.rows(["date", "hostName", "pagePathPlusQueryString"], ["screenPageViews", "bounceRate"])
    engaged = analytics.rows(["date"], ["engagedSessions"])
    for (day,), (views, sessions, bounces, per_session) in days.items():
        assert sum(values[0] for key, values in pages.items() if key[0] == day) == views
        assert per_session == pytest.approx(views / sessions)
        assert bounces == pytest.approx(1 - engaged[day,][0] / sessions) and 0.1 < bounces < 0.6
    assert all(0 <= bounces <= 1 for _, bounces in pages.values())
    assert {host for _, host, _ in pages} == {"www.sandbox-labs.example", "sandbox-shop.example"}


def test_sign_ups_and_purchases_are_those_of_the_world(analytics):
    world = ACCOUNT.world
    joined = Counter(f"{person.joined_at:%Y%m%d}" for person in population(world) if person.joined_at.date() >= START)
    bought, spent = Counter(), Counter()
    for order in orders(world):
        bought[f"{order.placed_at:%Y%m%d}"] += 1
        spent[f"{order.placed_at:%Y%m%d}"] += round(order.total * 100)
    welcomed = analytics.rows(["date", "pagePath"], ["keyEvents"])
    found = analytics.rows(["date"], ["keyEvents", "ecommercePurchases", "purchaseRevenue"])
    assert sum(joined.values()) > 5 and sum(bought.values()) > 100
    for (day,), (events, purchases, revenue) in found.items():
        assert events == joined[day] + bought[day] and purchases == bought[day]
        assert round(revenue * 100) == spent[day]
        assert welcomed.get((day, "/welcome"), (0,))[0] == joined[day]
        assert welcomed.get((day, "/checkout/thank-you"), (0,))[0] == bought[day]


def test_visitors_grow_and_rest_at_weekends(analytics):
    by_week = analytics.rows(["dayOfWeek"], ["sessions"])
    assert max(by_week["0",], by_week["6",]) < min(by_week[str(day),] for day in range(1, 6))
    new = analytics.rows([], ["newUsers", "totalUsers"])[()]
    assert 0.3 < new[0] / new[1] < 0.95


def test_values_are_texts_with_headers_as_documented(analytics):
    found = analytics.report(["date"], ["sessions", "averageSessionDuration", "bounceRate"], limit=1)
    assert found["dimensionHeaders"] == [{"name": "date"}]
    assert [one["type"] for one in found["metricHeaders"]] == ["TYPE_INTEGER", "TYPE_SECONDS", "TYPE_FLOAT"]
    (row,) = found["rows"]
    assert all(isinstance(one["value"], str) for one in (*row["dimensionValues"], *row["metricValues"]))
    assert "." not in row["metricValues"][0]["value"] and "." in row["metricValues"][2]["value"]
    assert found["rowCount"] == 40 and found["kind"] == "analyticsData#runReport"
    assert found["metadata"] == {"currencyCode": "USD", "timeZone": "Etc/UTC"}


@pytest.mark.parametrize("size", [7, 13, "100"])
def test_pages_by_offset_add_up_to_the_whole(analytics, size):
    order = [{"dimension": {"dimensionName": name}} for name in ("date", "deviceCategory")]
    asked = {"orderBys": order, "dateRanges": [{"startDate": "2026-03-10", "endDate": "2026-03-16"}]}
    whole = analytics.report(["date", "deviceCategory"], ["sessions"], **asked)["rows"]
    found: list[dict] = []
    while page := analytics.report(
        ["date", "deviceCategory"], ["sessions"], **asked, limit=size, offset=len(found)
    ).get("rows"):
        assert len(page) <= int(size)
        found += page
    assert found == whole == sorted(whole, key=lambda row: [one["value"] for one in row["dimensionValues"]])


def test_rows_are_in_the_order_asked_for(analytics):
    by_views = {"metric": {"metricName": "screenPageViews"}, "desc": True}
    views = list(analytics.rows(["pagePath"], ["screenPageViews"], orderBys=[by_views]).values())
    assert views == sorted(views, reverse=True) and views[0] > views[-1]
    by_day = {"dimension": {"dimensionName": "date"}, "desc": True}
    days = [day for (day,) in analytics.rows(["date"], ["sessions"], orderBys=[by_day])]
    assert days == sorted(days, reverse=True)


def test_days_without_visits_have_no_rows_and_no_count(analytics):
    before = analytics.report(["date"], ["sessions"], dateRanges=[{"startDate": "2026-02-01", "endDate": "2026-02-20"}])
    today = analytics.report(["date"], ["sessions"], dateRanges=[{"startDate": "today", "endDate": "today"}])
    for found in (before, today):
        assert "rows" not in found and "rowCount" not in found and found["dimensionHeaders"]
    last = analytics.rows(["date"], ["sessions"], dateRanges=[{"startDate": "1daysAgo", "endDate": "yesterday"}])
    assert list(last) == [("20260411",)]


def test_rows_of_nothing_but_zeros_come_only_where_they_are_kept(analytics):
    kept = analytics.rows(["date", "pagePath"], ["keyEvents"], keepEmptyRows=True)
    dropped = analytics.rows(["date", "pagePath"], ["keyEvents"])
    assert dropped == {key: values for key, values in kept.items() if values[0]} != kept


def test_filters_choose_rows(analytics):
    every = analytics.rows(["sessionSource", "deviceCategory"], ["sessions"])
    google = {"filter": {"fieldName": "sessionSource", "stringFilter": {"value": "GOOGLE"}}}
    small = {"filter": {"fieldName": "deviceCategory", "inListFilter": {"values": ["mobile", "tablet"]}}}
    many = {
        "filter": {
            "fieldName": "sessions",
            "numericFilter": {"operation": "GREATER_THAN", "value": {"int64Value": "300"}},
        }
    }
    for chosen, fits in (
        ({"dimensionFilter": google}, lambda key, _: key[0] == "google"),
        (
            {"dimensionFilter": {"andGroup": {"expressions": [google, small]}}},
            lambda key, _: key[0] == "google" and key[1] in ("mobile", "tablet"),
        ),
        (
            {"dimensionFilter": {"notExpression": {"orGroup": {"expressions": [google, small]}}}},
            lambda key, _: key[0] != "google" and key[1] not in ("mobile", "tablet"),
        ),
        ({"metricFilter": many}, lambda _, values: values[0] > 300),
    ):
        expected = {key: values for key, values in every.items() if fits(key, values)}
        assert analytics.rows(["sessionSource", "deviceCategory"], ["sessions"], **chosen) == expected != {}


def test_several_ranges_are_told_apart_and_a_batch_answers_each(analytics):
    ranges = [
        {"startDate": "2026-03-10", "endDate": "2026-03-16", "name": "one"},
        {"startDate": "2026-03-17", "endDate": "2026-03-23"},
    ]
    found = analytics.report(["deviceCategory"], ["sessions"], dateRanges=ranges)
    assert {row["dimensionValues"][1]["value"] for row in found["rows"]} == {"one", "date_range_1"}
    asked = [{"dateRanges": [one], "metrics": named(["sessions"])} for one in ranges]
    both = analytics.ask({"requests": asked}, verb="batchRunReports").json()["reports"]
    assert both == [analytics.ask(one).json() for one in asked]


def text_filter(kind: str, value: str) -> dict:
    return {"filter": {"fieldName": "browser", "stringFilter": {"matchType": kind, "value": value}}}


GOOD = {"dateRanges": WHOLE, "dimensions": named(["date"]), "metrics": named(["sessions"])}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metrics": named(["visits"])}, "Field visits is not a valid metric"),
        ({"dimensions": named(["ga:date"])}, "Field ga:date is not a valid dimension"),
        ({"dateRanges": []}, "dateRanges"),
        ({"dateRanges": [{"startDate": "2026-04-02", "endDate": "2026-04-01"}]}, "is after endDate"),
        ({"dateRanges": [{"startDate": "3.4.2026", "endDate": "today"}]}, "Invalid startDate: 3.4.2026"),
        ({"orderBys": [{"dimension": {"dimensionName": "browser"}}]}, "Field browser exists in OrderBy"),
        ({"dimensionFilter": {"filter": {"fieldName": "none", "emptyFilter": {}}}}, "Field none"),
        ({"metrics": named([f"m{n}" for n in range(11)])}, "limited to 10 metrics"),
        ({"dimensionFilter": text_filter("PARTIAL_REGEXP", "(")}, "does not fit its values"),
        ({"dimensionFilter": text_filter("ALMOST", "x")}, "Invalid value ALMOST in a filter"),
        ({"limit": 0}, "Invalid limit: 0"),
        ({"metric": "sessions"}, 'Unknown name "metric": Cannot find field.'),
        ({"metricAggregations": ["TOTAL"]}, "metricAggregations"),
    ],
)
def test_a_report_that_cannot_be_made_is_refused_as_google_does(analytics, change, said):
    answer = analytics.ask({**GOOD, **change})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
    assert said in error["message"]


def test_only_the_accounts_own_property_can_be_read(analytics):
    for number, status, code in (("999", 403, "PERMISSION_DENIED"), ("G-ABC123", 400, "INVALID_ARGUMENT")):
        answer = analytics.ask(GOOD, number)
        assert (answer.status_code, answer.json()["error"]["status"]) == (status, code)


@pytest.mark.parametrize("header", [None, "Bearer ya29.wrong", "Bearer 1//0gwrong"])
def test_without_a_right_token_nothing_is_told(client, header):
    headers = {"Authorization": header} if header else {}
    answer = client.post("/ga4/v1beta/properties/412000001:runReport", json=GOOD, headers=headers)
    assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


def test_a_used_up_quota_is_a_429_in_googles_form(client):
    answer = Analytics(client, LIMITED).ask(GOOD)
    assert (answer.status_code, answer.json()["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert answer.headers["retry-after"] == "3"


def test_a_field_that_drifted_away_is_refused(client):
    drifted = Analytics(client, DRIFTED)
    assert drifted.ask(GOOD).status_code == 200
    assert "bounceRate is not a valid metric" in drifted.ask({**GOOD, "metrics": named(["bounceRate"])}).text


def test_a_further_day_changes_no_day_before_it(client, analytics):
    dimensions, metrics = (
        ["date", "sessionSource", "pagePath"],
        ["sessions", "totalUsers", "newUsers", "purchaseRevenue"],
    )
    ranges = [{"startDate": "2026-03-03", "endDate": "2026-12-31"}]
    before = analytics.rows(dimensions, metrics, dateRanges=ranges)
    after = Analytics(client, NEXT_DAY).rows(dimensions, metrics, dateRanges=ranges)
    assert {key: values for key, values in after.items() if key[0] != "20260412"} == before
    assert any(key[0] == "20260412" for key in after)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_secret": "other"}, "invalid_client"),
        ({"refresh_token": "other"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "no.jwt.x"}, "invalid_grant"),
    ],
)
def test_tokens_are_refused_as_oauth_says(client, change, error):
    credentials = API.configuration("", key_of(ACCOUNT, API))["credentials"]
    answer = client.post("/ga4/token", data={"grant_type": "refresh_token", **credentials, **change})
    assert answer.status_code in (400, 401) and answer.json()["error"] == error


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({}, None),
        ({"exp": 10}, "invalid_grant"),
        ({"aud": "https://elsewhere.example"}, "invalid_grant"),
        ({"scope": "https://www.googleapis.com/auth/drive"}, "invalid_scope"),
    ],
    ids=["good", "expired", "other audience", "other scope"],
)
def test_a_service_accounts_assertion_gives_a_token(client, signing_key, claims, error):
    now = int(time.time())
    said = {
        "iss": "reader@sandbox.iam.gserviceaccount.com",
        "scope": "https://www.googleapis.com/auth/analytics.readonly",
        "aud": f"{client.base_url}ga4/token",
        "iat": now,
        "exp": now + 3600,
    }
    signed = jwt.encode({**said, **claims}, signing_key, "RS256", headers={"kid": key_of(ACCOUNT, API)})
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": signed}
    granted = client.post("/ga4/token", data=form).json()
    assert granted.get("error") == error
    if error is None:
        headers = {"Authorization": f"Bearer {granted['access_token']}"}
        answer = client.post("/ga4/v1beta/properties/412000001:runReport", json=GOOD, headers=headers)
        assert answer.json()["rowCount"] == 40
