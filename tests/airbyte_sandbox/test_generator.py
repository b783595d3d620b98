"""The sandbox's data: deterministic, growing by days, related across tools, shaped like the public APIs."""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from statistics import mean, median

import jsonschema
import pytest
from airbyte_sandbox import TOOLS, World
from airbyte_sandbox.anomalies import planted
from airbyte_sandbox.people import population

START = date(2026, 3, 3)
MOVES_UNSEEN = {("stripe", "subscriptions")}
STREAMS = [(tool, stream) for tool in TOOLS for stream in TOOLS[tool].streams]
ALL_STREAMS = pytest.mark.parametrize(
    ("tool", "stream"), STREAMS, ids=[f"{tool}.{stream.name}" for tool, stream in STREAMS]
)


def world(days: int = 120, seed: int = 7, customers: int = 200) -> World:
    return World(seed, customers, START, START + timedelta(days=days - 1))


@pytest.fixture(scope="module")
def data() -> dict[str, dict[str, list[dict]]]:
    return {name: tool.records(world()) for name, tool in TOOLS.items()}


@pytest.mark.parametrize("days", [1, 30, 64])
@pytest.mark.parametrize("tool", TOOLS)
def test_a_further_day_adds_records_and_changes_none_without_a_later_cursor(tool, days):
    before, after = TOOLS[tool].records(world(days)), TOOLS[tool].records(world(days + 1))
    for stream in TOOLS[tool].streams:
        later = {record[stream.key]: record for record in after[stream.name]}
        for record in before[stream.name]:
            now = later[record[stream.key]]
            if now == record or (tool, stream.name) in MOVES_UNSEEN:
                continue
            assert stream.cursor == "updated_at", (stream.name, record, now)
            assert datetime.fromisoformat(now["updated_at"]) > datetime.fromisoformat(record["updated_at"])
            assert datetime.fromisoformat(now["updated_at"]) > world(days).horizon


@pytest.mark.parametrize("tool", TOOLS)
def test_what_a_day_adds_is_of_that_day(tool):
    before, after = TOOLS[tool].records(world(40)), TOOLS[tool].records(world(41))
    for stream in TOOLS[tool].streams:
        known = {record[stream.key] for record in before[stream.name]}
        added = [record for record in after[stream.name] if record[stream.key] not in known]
        for record in added:
            if "created" in record or "created_at" in record:
                assert moment(record.get("created", record.get("created_at"))).date() == world(41).end


@pytest.mark.parametrize("tool", TOOLS)
def test_nothing_is_of_the_future(tool, data):
    horizon = world().horizon
    for stream, records in data[tool].items():
        for record in records:
            for name, value in record.items():
                if value is not None and (name in ("created", "canceled_at", "updated") or name.endswith("_at")):
                    assert moment(value) <= horizon, (stream, name, value)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_seed_gives_the_same_data_and_another_seed_other_data(tool):
    first = TOOLS[tool].records(world(20))
    assert first == TOOLS[tool].records(world(20))
    assert first != TOOLS[tool].records(world(20, seed=8))


@ALL_STREAMS
def test_keys_are_unique_and_every_record_is_valid_against_its_schema(tool, stream, data):
    records = data[tool][stream.name]
    keys = [record[stream.key] for record in records]
    assert keys and len(set(keys)) == len(keys)
    schema = stream.as_json()["json_schema"]
    validator = jsonschema.Draft7Validator(
        {**schema, "additionalProperties": False}, format_checker=jsonschema.FormatChecker()
    )
    for record in records[:: max(1, len(records) // 150)]:
        validator.validate(json.loads(json.dumps(record)))
    assert {name for record in records for name in record} == set(stream.properties)


@ALL_STREAMS
def test_names_types_keys_and_cursors_are_those_of_the_public_api(tool, stream, shared):
    catalog = json.loads((shared / "catalogs" / f"{tool}.json").read_text())
    theirs = next(found for found in catalog["streams"] if found["name"] == stream.name)
    ours = stream.as_json()
    for name in ("source_defined_primary_key", "default_cursor_field"):
        assert ours.get(name) == theirs.get(name)
    assert set(ours["supported_sync_modes"]) == set(theirs["supported_sync_modes"])
    assert list(differences(ours["json_schema"], theirs["json_schema"], stream.name)) == []


def differences(ours: dict, theirs: dict, path: str):
    """Fields of ours that theirs do not have or type otherwise; a free-form object of theirs allows anything."""
    if not set(types(ours)) <= set(types(theirs)):
        yield f"{path}: {types(ours)} is not {types(theirs)}"
    for name, schema in ours.get("properties", {}).items():
        known = theirs.get("properties") or {}
        if name in known:
            yield from differences(schema, known[name], f"{path}.{name}")
        elif known:
            yield f"{path}.{name} is unknown"
    if "items" in ours and theirs.get("items"):
        yield from differences(ours["items"], theirs["items"], f"{path}[]")


def types(schema: dict) -> list[str]:
    found = schema.get("type", [])
    return [name for name in ([found] if isinstance(found, str) else found) if name != "null"]


def test_payments_refer_to_what_exists(data):
    stripe = data["stripe"]
    ids = {name: {record["id"]: record for record in records} for name, records in stripe.items()}
    for charge in stripe["charges"]:
        customer = ids["customers"][charge["customer"]]
        assert charge["currency"] == customer["currency"]
        assert charge["created"] > customer["created"]
        assert charge["invoice"] is None or ids["invoices"][charge["invoice"]]["charge"] == charge["id"]
    for refund in stripe["refunds"]:
        charge = ids["charges"][refund["charge"]]
        assert charge["paid"] and refund["amount"] == charge["amount_refunded"] <= charge["amount"]
        assert refund["created"] >= charge["created"]
    for invoice in stripe["invoices"]:
        assert ids["charges"][invoice["charge"]]["amount"] == invoice["total"]
        assert ids["subscriptions"][invoice["subscription"]]["customer"] == invoice["customer"]
    assert {plan["product"] for plan in stripe["plans"]} == set(ids["products"])
    assert {charge["id"] for charge in stripe["charges"] if charge["amount_refunded"]} == {
        refund["charge"] for refund in stripe["refunds"]
    }


def test_orders_refer_to_what_exists_and_add_up(data):
    shop = data["shopify"]
    customers = {record["id"]: record for record in shop["customers"]}
    variants = {variant["id"]: product for product in shop["products"] for variant in product["variants"]}
    spent: Counter[int] = Counter()
    for order in shop["orders"]:
        spent[order["customer"]["id"]] += round(order["total_price"] * 100)
        assert customers[order["customer"]["id"]]["email"] == order["email"]
        items = sum(line["price"] * line["quantity"] for line in order["line_items"])
        assert order["total_line_items_price"] == pytest.approx(items)
        assert order["subtotal_price"] == pytest.approx(items - order["total_discounts"])
        shipping = order["total_shipping_price_set"]["shop_money"]["amount"]
        assert order["total_price"] == pytest.approx(order["subtotal_price"] + order["total_tax"] + shipping)
        assert all(variants[line["variant_id"]]["id"] == line["product_id"] for line in order["line_items"])
        assert (order["financial_status"] == "refunded") == bool(order["refunds"])
    for customer_id, customer in customers.items():
        assert round(customer["total_spent"] * 100) == spent[customer_id]


def test_pull_requests_are_open_merged_or_closed_and_merge_in_hours(data):
    code = data["github"]
    pull_requests = code["pull_requests"]
    states = Counter((record["state"], record["merged_at"] is not None) for record in pull_requests)
    assert set(states) == {("open", False), ("closed", True), ("closed", False)}
    hours = [
        (moment(record["merged_at"]) - moment(record["created_at"])).total_seconds() / 3600
        for record in pull_requests
        if record["merged_at"]
    ]
    assert min(hours) > 0 and 5 < median(hours) < 15 and max(hours) > 72
    shas = {commit["sha"] for commit in code["commits"]}
    assert all(record["merge_commit_sha"] in shas for record in pull_requests if record["merged_at"])
    names = {record["full_name"] for record in code["repositories"]}
    for stream in ("pull_requests", "issues", "commits"):
        assert {record["repository"] for record in code[stream]} <= names
    numbers = [(record["repository"], record["number"]) for record in (*pull_requests, *code["issues"])]
    assert len(set(numbers)) == len(numbers)
    for repository in code["repositories"]:
        works = [*pull_requests, *code["issues"]]
        mine = [record for record in works if record["repository"] == repository["full_name"]]
        assert repository["open_issues_count"] == sum(record["state"] == "open" for record in mine)


def test_the_same_people_are_known_to_several_tools_by_their_email(data):
    people = population(world())
    stripe = [record["email"] for record in data["stripe"]["customers"]]
    shopify = {record["email"] for record in data["shopify"]["customers"]}
    authors = {commit["commit"]["author"]["email"] for commit in data["github"]["commits"]}
    assert 195 <= len(people) <= 205
    assert len({person.email for person in people}) == len(people)
    assert len({email.lower() for email in stripe} & shopify) > 0.7 * len(people)
    assert {email.lower() for email in stripe} | shopify == {person.email for person in people}
    assert 5 < len(authors & shopify) < 40
    assert 5 < sum(email != email.lower() for email in stripe) < 40


def test_currencies_failures_and_refunds_are_there(data):
    charges = data["stripe"]["charges"]
    by_currency = {
        name: [c["amount"] for c in charges if c["currency"] == name] for name in ("usd", "eur", "gbp", "jpy")
    }
    assert {charge["currency"] for charge in charges} == set(by_currency)
    assert 100 < mean(by_currency["jpy"]) / (mean(by_currency["usd"]) / 100) < 250, "yen have no hundredths"
    assert 0.03 < sum(not charge["paid"] for charge in charges) / len(charges) < 0.15
    assert 0.02 < len(data["stripe"]["refunds"]) / len(charges) < 0.1
    assert {record["status"] for record in data["stripe"]["subscriptions"]} == {"active", "canceled"}
    assert {record["financial_status"] for record in data["shopify"]["orders"]} == {"paid", "refunded"}
    assert any(record["cancelled_at"] for record in data["shopify"]["orders"])


def test_season_and_trend_can_be_seen(data):
    days = Counter(moment(charge["created"]).date() for charge in data["stripe"]["charges"])
    weekdays = [mean(count for day, count in days.items() if day.weekday() == number) for number in range(7)]
    assert max(weekdays[5:]) < min(weekdays[:5])
    first, last = (mean(days[START + timedelta(days=begin + n)] for n in range(28)) for begin in (0, 92))
    assert last > 1.2 * first


@pytest.mark.parametrize("measure", ["payment_count", "failed_payment_count", "order_count", "pull_requests_opened"])
def test_planted_anomalies_stand_out(measure, data):
    counted = {
        "payment_count": [moment(charge["created"]) for charge in data["stripe"]["charges"] if charge["paid"]],
        "failed_payment_count": [
            moment(charge["created"]) for charge in data["stripe"]["charges"] if not charge["paid"]
        ],
        "order_count": [moment(order["created_at"]) for order in data["shopify"]["orders"]],
        "pull_requests_opened": [moment(record["created_at"]) for record in data["github"]["pull_requests"]],
    }
    days = Counter(at.date() for at in counted[measure])
    found = [anomaly for anomaly in planted(world()) if anomaly.measure == measure]
    assert found
    for anomaly in found:
        around = [days[anomaly.day + timedelta(days=7 * week)] for week in (-3, -2, -1, 1, 2, 3)]
        ratio = days[anomaly.day] / max(median(around), 1)
        assert ratio > 1.7 if anomaly.kind == "spike" else ratio < 0.5


def test_anomalies_spare_the_first_month_and_stay_where_they_are():
    first, longer = planted(world(120)), planted(world(200))
    assert longer[: len(first)] == first
    assert all((anomaly.day - START).days >= 30 for anomaly in longer)


def moment(value: int | float | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else datetime.fromtimestamp(value, UTC)
