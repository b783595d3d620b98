"""Stripe's API in the sandbox: lists that page to the whole, filters, refusals, and money that adds up to the cent."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from airbyte_sandbox import TOOLS, World
from airbyte_sandbox.people import population
from airbyte_sandbox.server.accounts import Accounts, read_account
from airbyte_sandbox.server.running import serving

START, END = date(2026, 5, 1), date(2026, 6, 29)
COLLECTIONS = (
    *("customers", "products", "plans", "subscriptions", "invoices", "charges", "refunds", "payment_intents"),
    *("payouts", "balance_transactions", "disputes", "coupons"),
)
ALL = {"subscriptions": {"status": "all"}}


class Client(httpx.Client):
    """Asks for lists as a connector does."""

    def page(self, path: str, **query) -> dict:
        answer = self.get(f"/v1/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def whole(self, path: str, **query) -> list[dict]:
        found, after = [], {}
        while True:
            page = self.page(path, **{"limit": 100, **query}, **after)
            found += page["data"]
            if not page["has_more"]:
                return found
            after = {"starting_after": page["data"][-1]["id"]}

    def refusal(self, path: str, status: int, /, **query) -> dict:
        answer = self.get(f"/v1/{path}", params=query)
        assert answer.status_code == status, answer.text
        return answer.json()["error"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    settings = {"customers": 60, "start": START.isoformat()}
    accounts = [
        read_account("today", {**settings, "end": END.isoformat()}),
        read_account("tomorrow", {**settings, "end": (END + timedelta(days=1)).isoformat()}),
    ]
    with serving(Accounts(accounts=accounts)) as url:
        yield url


def client_of(sandbox: str, name: str) -> Client:
    configuration = httpx.get(f"{sandbox}/sandbox/accounts/{name}").json()["configurations"]["stripe"]
    return Client(
        base_url=configuration["base_url"], headers={"Authorization": f"Bearer {configuration['client_secret']}"}
    )


@pytest.fixture(scope="module")
def stripe(sandbox) -> Iterator[Client]:
    with client_of(sandbox, "today") as client:
        yield client


@pytest.fixture(scope="module")
def data(stripe) -> dict[str, list[dict]]:
    return {name: stripe.whole(name, **ALL.get(name, {})) for name in COLLECTIONS}


@pytest.mark.parametrize("name", COLLECTIONS)
def test_a_list_is_newest_first_and_pages_add_up_to_it_in_both_directions(name, stripe, data):
    whole = data[name]
    assert whole and len({record["id"] for record in whole}) == len(whole)
    assert [record["created"] for record in whole] == sorted((record["created"] for record in whole), reverse=True)
    query = {"limit": min(100, len(whole) // 4 + 1), **ALL.get(name, {})}
    assert stripe.whole(name, **query) == whole
    back, before = [], whole[-1]["id"]
    while True:
        page = stripe.page(name, ending_before=before, **query)
        back = page["data"] + back
        if not page["has_more"]:
            break
        before = page["data"][0]["id"]
    assert back == whole[:-1]


def test_a_list_says_what_it_is_and_has_ten_records_unless_asked(stripe):
    page = stripe.page("charges")
    assert (page["object"], page["url"], page["has_more"], len(page["data"])) == ("list", "/v1/charges", True, 10)


@pytest.mark.parametrize("name", COLLECTIONS)
def test_windows_of_created_cut_a_list_without_gap_or_overlap(name, stripe, data):
    whole, all_of = data[name], ALL.get(name, {})
    middle = whole[len(whole) // 2]["created"]
    later = stripe.whole(name, **{"created[gte]": middle}, **all_of)
    earlier = stripe.whole(name, **{"created[lte]": middle - 1}, **all_of)
    assert later + earlier == whole
    assert stripe.whole(name, **{"created[gt]": middle - 1, "created[lt]": middle + 1}, **all_of) == [
        record for record in whole if record["created"] == middle
    ]
    assert stripe.whole(name, **{"created[gt]": whole[0]["created"]}, **all_of) == []


@pytest.mark.parametrize("name", COLLECTIONS)
def test_an_object_is_answered_by_its_id(name, stripe, data):
    assert stripe.page(f"{name}/{data[name][0]['id']}") == data[name][0]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("charges", "customer"),
        ("invoices", "subscription"),
        ("refunds", "charge"),
        ("disputes", "payment_intent"),
        ("balance_transactions", "type"),
        ("plans", "product"),
        ("customers", "email"),
    ],
)
def test_a_filter_leaves_the_records_that_have_the_value(name, field, stripe, data):
    value = data[name][-1][field]
    asked = [record for record in data[name] if record[field] == value]
    assert stripe.whole(name, **{field: value}) == asked
    assert 0 < len(asked) < len(data[name])


def test_cancelled_subscriptions_are_listed_only_when_asked_for(sandbox):
    account = {"seed": 11, "customers": 300, "start": "2026-03-01", "end": "2026-06-01"}
    httpx.put(f"{sandbox}/sandbox/accounts/leaving", json=account).raise_for_status()
    with client_of(sandbox, "leaving") as stripe:
        every = stripe.whole("subscriptions", status="all")
        gone = stripe.whole("subscriptions", status="canceled")
        assert {record["status"] for record in gone} == {"canceled"}
        assert stripe.whole("subscriptions") == [record for record in every if record["status"] != "canceled"]
        assert len(gone) + len(stripe.whole("subscriptions", status="active")) == len(every)


@pytest.mark.parametrize(
    ("path", "status", "query", "code", "param"),
    [
        ("charges", 400, {"limit": 101}, "parameter_invalid_integer", "limit"),
        ("charges", 400, {"limit": 0}, "parameter_invalid_integer", "limit"),
        ("charges", 400, {"limit": "ten"}, "parameter_invalid_integer", "limit"),
        ("charges", 400, {"created[gte]": "2026-05-01"}, "parameter_invalid_integer", "created[gte]"),
        ("charges", 400, {"page": 2}, "parameter_unknown", "page"),
        ("charges", 400, {"starting_after": "ch_none"}, "resource_missing", "starting_after"),
        ("charges", 400, {"starting_after": "ch_1", "ending_before": "ch_2"}, None, "starting_after"),
        ("subscriptions", 400, {"status": "gone"}, None, "status"),
        ("subscription_items", 400, {}, "parameter_missing", "subscription"),
        ("subscription_items", 400, {"subscription": "sub_none"}, "resource_missing", "subscription"),
        ("invoices/in_none/lines", 404, {}, "resource_missing", "id"),
        ("customers/cus_none", 404, {}, "resource_missing", "id"),
        ("sources", 404, {}, None, None),
        ("plans", 400, {"active": "maybe"}, None, "active"),
        ("charges", 400, {"expand[]": "data.customer"}, None, "expand[]"),
    ],
)
def test_a_wrong_request_is_refused_in_stripes_form(stripe, path, status, query, code, param):
    error = stripe.refusal(path, status, **query)
    assert (error["type"], error.get("code"), error.get("param")) == ("invalid_request_error", code, param)
    assert error["message"]


def test_a_key_is_taken_as_bearer_or_as_basic_user_and_a_wrong_one_is_401(stripe):
    key = stripe.headers["Authorization"].split()[1]
    url = f"{stripe.base_url}v1/customers"
    assert httpx.get(url, auth=(key, "")).status_code == 200
    for headers in ({}, {"Authorization": "Bearer sk_test_wrong"}, {"Authorization": key}):
        answer = httpx.get(url, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["type"] == "invalid_request_error"


def test_the_account_may_be_named_and_another_one_is_forbidden(stripe):
    own = stripe.page("account")["id"]
    assert stripe.get("/v1/customers", headers={"Stripe-Account": own}).status_code == 200
    refused = stripe.get("/v1/customers", headers={"Stripe-Account": "acct_other"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "account_invalid")


def test_a_version_that_would_answer_otherwise_is_refused(stripe):
    assert stripe.get("/v1/customers", headers={"Stripe-Version": "2022-11-15"}).status_code == 200
    assert stripe.get("/v1/customers", headers={"Stripe-Version": "2025-06-30.basil"}).status_code == 400


def test_the_api_has_the_records_of_the_file_export(data):
    exported = TOOLS["stripe"].records(World(7, 60, START, END))
    for name, records in exported.items():
        served = {record["id"]: record for record in data[name]}
        assert len(served) == len(records)
        for record in records:
            changed = {field for field, value in record.items() if served[record["id"]][field] != value}
            assert changed <= {"items", "plan", "dispute"}, name


def test_every_movement_of_money_has_a_balance_transaction_of_its_amount(data):
    by_id = {record["id"]: record for record in data["balance_transactions"]}
    moved = {
        **{charge["id"]: (charge, charge["amount"]) for charge in data["charges"] if charge["paid"]},
        **{refund["id"]: (refund, -refund["amount"]) for refund in data["refunds"]},
        **{dispute["id"]: (dispute, -dispute["amount"]) for dispute in data["disputes"]},
        **{payout["id"]: (payout, -payout["amount"]) for payout in data["payouts"]},
    }
    assert {record["source"] for record in by_id.values()} == set(moved)
    assert len(by_id) == len(moved)
    for source, amount in moved.values():
        record = by_id[source["balance_transaction"]]
        assert (record["source"], record["amount"], record["currency"]) == (source["id"], amount, source["currency"])
        assert record["net"] == record["amount"] - record["fee"]
        assert sum(detail["amount"] for detail in record["fee_details"]) == record["fee"]


def test_payouts_and_what_is_left_add_up_to_all_that_came_in(stripe, data):
    came_in: Counter[str] = Counter()
    for record in data["balance_transactions"]:
        if record["type"] != "payout":
            came_in[record["currency"]] += record["net"]
    for payout in data["payouts"]:
        came_in[payout["currency"]] -= payout["amount"]
    balance = stripe.page("balance")
    left: Counter[str] = Counter()
    for part in (*balance["available"], *balance["pending"]):
        left[part["currency"]] += part["amount"]
    assert left == came_in
    assert all(part["amount"] >= 0 for part in balance["available"])


def test_the_transactions_of_a_payout_sum_to_its_amount(stripe, data):
    for payout in data["payouts"][:8]:
        paid = stripe.whole("balance_transactions", payout=payout["id"])
        assert sum(record["net"] for record in paid if record["type"] != "payout") == payout["amount"]
        assert sum(record["net"] for record in paid) == 0
        assert {record["status"] for record in paid} == {"available"}


def test_invoices_have_lines_items_and_intents_that_say_the_same(stripe, data):
    intents = {record["id"]: record for record in data["payment_intents"]}
    charges = {record["id"]: record for record in data["charges"]}
    for invoice in data["invoices"][:10]:
        [line] = stripe.whole(f"invoices/{invoice['id']}/lines")
        [item] = stripe.whole("subscription_items", subscription=invoice["subscription"])
        assert line["amount"] == invoice["total"] == item["quantity"] * item["price"]["unit_amount"]
        assert (line["subscription_item"], line["plan"]["id"]) == (item["id"], item["plan"]["id"])
        intent = intents[invoice["payment_intent"]]
        assert (intent["invoice"], intent["latest_charge"]) == (invoice["id"], invoice["charge"])
        assert intent["amount_received"] == invoice["amount_paid"]
        assert (intent["status"] == "succeeded") is charges[invoice["charge"]]["paid"]


def test_disputes_and_charges_name_each_other_and_no_disputed_charge_is_refunded(data):
    disputes = {record["id"]: record for record in data["disputes"]}
    disputed = {record["dispute"]: record for record in data["charges"] if record["disputed"]}
    assert disputed.keys() == disputes.keys()
    for key, charge in disputed.items():
        assert (disputes[key]["charge"], disputes[key]["amount"]) == (charge["id"], charge["amount"])
        assert charge["paid"] and not charge["amount_refunded"]
        assert [part["id"] for part in disputes[key]["balance_transactions"]] == [disputes[key]["balance_transaction"]]


def test_customers_are_the_people_of_the_world(data):
    people = {person.email_in_payments: person for person in population(World(7, 60, START, END)) if person.pays}
    assert {record["email"]: record["name"] for record in data["customers"]} == {
        email: person.name for email, person in people.items()
    }


def test_a_further_day_adds_that_days_records_and_leaves_the_others_as_they_were(sandbox, data):
    moves = {
        "subscriptions": {"status", "canceled_at", "ended_at", "latest_invoice"}
        | {"current_period_start", "current_period_end"},
        "customers": {"next_invoice_sequence"},
        "balance_transactions": {"status"},
        "disputes": {"balance_transactions"},
        "coupons": {"valid"},
    }
    with client_of(sandbox, "tomorrow") as stripe:
        for name in COLLECTIONS:
            later = {record["id"]: record for record in stripe.whole(name, **ALL.get(name, {}))}
            for record in data[name]:
                now = later.pop(record["id"])
                changed = {field for field in record if now[field] != record[field]}
                assert changed <= moves.get(name, set()), name
            for record in later.values():
                assert datetime.fromtimestamp(record["created"], UTC).date() == END + timedelta(days=1), name
