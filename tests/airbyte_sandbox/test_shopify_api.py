"""The shop over HTTP: pages, filters, refusals, and sums that hold to the cent."""

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from airbyte_sandbox.people import population
from airbyte_sandbox.server.account import Account, Fault
from airbyte_sandbox.server.accounts import Accounts
from airbyte_sandbox.server.credentials import key_of
from airbyte_sandbox.server.drifts import Drift
from airbyte_sandbox.server.running import serving
from airbyte_sandbox.shopify.api import API

START = date(2026, 3, 3)
ACCOUNT = Account(name="small", customers=60, start=START, end=START + timedelta(days=59))
NEXT_DAY = Account(name="later", customers=60, start=START, end=START + timedelta(days=60))
FAULTY = Account(
    name="faulty",
    customers=5,
    start=START,
    end=START,
    faults=(Fault(tool="shopify", kind="rate_limit", every=1, seconds=3),),
)
DRIFTED = Account(
    name="drifted",
    customers=5,
    start=START,
    end=START + timedelta(days=20),
    drifts=(
        Drift(tool="shopify", stream="product_variants", kind="rename_field", field="sku", to="stock_code"),
        Drift(tool="shopify", stream="shop", kind="drop_field", field="city"),
    ),
)
LISTS = (
    "orders", "customers", "products", "collects", "custom_collections", "smart_collections", "draft_orders",
    "checkouts", "price_rules",
)  # fmt: skip


class Shop:
    """One account's shop, asked with its token."""

    def __init__(self, client: httpx.Client, account: Account) -> None:
        self.client = client
        self.headers = {"X-Shopify-Access-Token": key_of(account, API)}

    def ask(self, path: str, **query: object):
        return self.client.get(f"shopify/admin/api/2025-10/{path}", params=query, headers=self.headers)

    def get(self, path: str, **query: object):
        answer = self.ask(path, **query)
        assert answer.status_code == 200, answer.text
        (found,) = answer.json().values()
        return found

    def pages(self, path: str, **query: object):
        answer = self.ask(path, **query)
        while True:
            assert answer.status_code == 200, answer.text
            yield answer
            if "next" not in answer.links:
                return
            answer = self.client.get(answer.links["next"]["url"], headers=self.headers)

    def whole(self, name: str, **query: object) -> list[dict]:
        asked = {"limit": 250, "status": "any", **query}
        return [record for page in self.pages(f"{name}.json", **asked) for record in page.json()[name.split("/")[-1]]]


@pytest.fixture(scope="module")
def client():
    accounts = Accounts(accounts=[ACCOUNT, NEXT_DAY, FAULTY, DRIFTED])
    with serving(accounts, [API]) as url, httpx.Client(base_url=url) as opened:
        yield opened


@pytest.fixture(scope="module")
def shop(client):
    return Shop(client, ACCOUNT)


@pytest.fixture(scope="module")
def orders(shop):
    return shop.whole("orders")


@pytest.mark.parametrize("name", LISTS)
def test_pages_add_up_to_the_whole(shop, name):
    whole = shop.whole(name)
    size = max(1, len(whole) // 3)
    pages = list(shop.pages(f"{name}.json", limit=size, status="any", order="updated_at asc"))
    found = [record for page in pages for record in page.json()[name]]
    assert len(pages) >= 3 or len(whole) == 2
    assert sorted(record["id"] for record in found) == sorted(record["id"] for record in whole)
    assert len({record["id"] for record in found}) == len(found) > 0
    moments = [datetime.fromisoformat(record["updated_at"]) for record in found]
    assert moments == sorted(moments)
    assert shop.get(f"{name}/count.json", status="any") == len(whole)
    assert shop.get(f"{name}/{whole[0]['id']}.json") == whole[0]


def test_a_page_leads_back_to_the_one_before_it(shop):
    first, second, *_ = shop.pages("orders.json", limit=20, status="any")
    back = shop.client.get(second.links["previous"]["url"], headers=shop.headers)
    assert "previous" not in first.links
    assert back.json() == first.json()


def test_links_carry_the_address_that_was_asked_and_an_opaque_page_info(shop):
    link = shop.ask("customers.json", limit=5).links["next"]["url"]
    assert link.startswith(f"{shop.client.base_url}/shopify/admin/api/2025-10/customers.json?limit=5&page_info=eyJ")


@pytest.mark.parametrize(
    ("extra", "status"),
    [
        ({"limit": 7}, 200),
        ({"fields": "id"}, 200),
        ({"status": "any"}, 400),
        ({"updated_at_min": "2026-01-01T00:00:00Z"}, 400),
        ({"order": "updated_at asc"}, 400),
        ({"page_info": "eyJub25lIjoxfQ=="}, 400),
        ({"page_info": "nonsense"}, 400),
    ],
    ids=lambda value: next(iter(value.items())) if isinstance(value, dict) else None,
)
def test_beside_page_info_only_limit_and_fields_may_be_given(shop, extra, status):
    info = shop.ask("orders.json", limit=5, status="any").links["next"]["url"].split("page_info=")[1]
    answer = shop.ask("orders.json", **{"limit": 5, "page_info": info.replace("%3D", "="), **extra})
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["errors"].keys() == extra.keys()


def test_a_page_has_50_and_at_most_250(shop, orders):
    assert len(orders) > 250
    assert len(shop.get("orders.json", status="any")) == 50
    assert len(shop.get("orders.json", status="any", limit=1000)) == 250
    assert shop.ask("orders.json", limit="many").status_code == 400


def test_updated_at_divides_the_orders_without_gap_or_overlap(shop, orders):
    middle = sorted(record["updated_at"] for record in orders)[len(orders) // 2]
    before, after = shop.whole("orders", updated_at_max=middle), shop.whole("orders", updated_at_min=middle)
    both = {record["id"] for record in before} & {record["id"] for record in after}
    assert {record["id"] for record in (*before, *after)} == {record["id"] for record in orders}
    assert both == {record["id"] for record in orders if record["updated_at"] == middle}


def test_orders_are_the_open_ones_unless_any_are_asked_for(shop, orders):
    states = {name: shop.whole("orders", status=name) for name in ("open", "closed", "cancelled")}
    assert all(states.values())
    assert sum(map(len, states.values())) == len(orders)
    assert all(record["closed_at"] is None is record["cancelled_at"] for record in states["open"])
    assert all(record["cancelled_at"] for record in states["cancelled"])
    assert shop.get("orders/count.json") == len(states["open"])


def test_ids_since_id_and_fields_choose(shop, orders):
    ids = sorted(record["id"] for record in orders)
    assert [record["id"] for record in shop.whole("orders", since_id=ids[-4])] == ids[-3:]
    chosen = shop.get("orders.json", ids=f"{ids[0]},{ids[5]}", status="any", fields="id,total_price")
    assert [set(record) for record in chosen] == [{"id", "total_price"}] * 2
    assert {record["id"] for record in chosen} == {ids[0], ids[5]}


@pytest.mark.parametrize(
    "query",
    [{"updated_at_min": "yesterday"}, {"since_id": "last"}, {"order": "colour"}],
    ids=lambda query: next(iter(query)),
)
def test_a_wrong_filter_is_refused_by_its_name(shop, query):
    answer = shop.ask("orders.json", **query)
    assert answer.status_code == 400
    assert answer.json()["errors"].keys() == query.keys()


@pytest.mark.parametrize("currency", ["shop_money", "presentment_money"])
def test_orders_add_up_to_the_cent_in_both_currencies(orders, currency):
    def of(money: dict) -> Decimal:
        return Decimal(money[currency]["amount"])

    assert {order["presentment_currency"] for order in orders} >= {"USD", "EUR", "JPY"}
    for order in orders:
        lines = order["line_items"]
        discounts = sum(of(part["amount_set"]) for line in lines for part in line["discount_allocations"])
        gross = sum(of(line["price_set"]) * line["quantity"] for line in lines)
        taxes = sum(of(tax["price_set"]) for line in lines for tax in line["tax_lines"])
        assert gross == of(order["total_line_items_price_set"])
        assert discounts == of(order["total_discounts_set"])
        assert gross - discounts == of(order["subtotal_price_set"])
        assert taxes == of(order["total_tax_set"]) == sum(of(tax["price_set"]) for tax in order["tax_lines"])
        shipping = sum(of(line["price_set"]) for line in order["shipping_lines"])
        assert shipping == of(order["total_shipping_price_set"])
        assert gross - discounts + taxes + shipping == of(order["total_price_set"])


def test_prices_are_texts_and_those_of_the_shop_are_its_money(orders):
    for order in orders:
        for name in ("total_price", "subtotal_price", "total_tax", "total_discounts", "current_total_price"):
            assert order[name] == order[f"{name}_set"]["shop_money"]["amount"]
            assert order[name] == f"{Decimal(order[name]):.2f}"


def test_what_was_paid_less_what_went_back_is_what_the_order_is_worth_now(shop, orders):
    refunded = [order for order in orders if order["refunds"]]
    assert {order["financial_status"] for order in refunded} == {"refunded"}
    assert any(order["cancelled_at"] for order in refunded)
    for order in [*refunded, *orders[::9]]:
        transactions = shop.get(f"orders/{order['id']}/transactions.json")
        done = {kind: Decimal(0) for kind in ("sale", "refund")}
        for one in transactions:
            assert one["order_id"] == order["id"]
            assert one["created_at"] <= order["updated_at"]
            done[one["kind"]] += Decimal(one["amount"]) if one["status"] == "success" else 0
        assert done["sale"] == Decimal(order["total_price"])
        assert done["sale"] - done["refund"] == Decimal(order["current_total_price"])
        assert [one for refund in order["refunds"] for one in refund["transactions"]] == [
            one for one in transactions if one["kind"] == "refund"
        ]
        assert shop.get(f"orders/{order['id']}/refunds.json") == order["refunds"]


def test_a_refund_is_its_lines_with_tax_and_the_delivery(orders):
    for refund in (refund for order in orders for refund in order["refunds"]):
        lines = sum(
            Decimal(str(line["subtotal"])) + Decimal(str(line["total_tax"])) for line in refund["refund_line_items"]
        )
        delivery = sum(Decimal(found["amount"]) for found in refund["order_adjustments"])
        assert lines - delivery == sum(Decimal(one["amount"]) for one in refund["transactions"])


def test_some_cards_are_declined_and_then_another_is_taken(shop, orders):
    found = [shop.get(f"orders/{order['id']}/transactions.json") for order in orders[:120]]
    declined = [some for some in found if some[0]["status"] == "failure"]
    assert 1 <= len(declined) <= 20
    assert all(some[0]["error_code"] == "card_declined" and some[1]["status"] == "success" for some in declined)


def test_customers_are_people_of_the_world_and_have_spent_what_they_ordered(shop, orders):
    spent: Counter[int] = Counter()
    for order in orders:
        spent[order["customer"]["id"]] += int(Decimal(order["total_price"]) * 100)
    customers = shop.whole("customers")
    emails = {person.email for person in population(ACCOUNT.world) if person.shops}
    assert {customer["email"] for customer in customers} == emails
    assert {customer["id"]: int(Decimal(customer["total_spent"]) * 100) for customer in customers} == {
        customer["id"]: spent[customer["id"]] for customer in customers
    }
    counted = Counter(order["customer"]["id"] for order in orders)
    assert all(customer["orders_count"] == counted[customer["id"]] for customer in customers)


def test_codes_were_used_as_often_as_orders_carry_them(shop, orders):
    typed = Counter(code["code"] for order in orders for code in order["discount_codes"])
    rules = shop.whole("price_rules")
    codes = [code for rule in rules for code in shop.whole(f"price_rules/{rule['id']}/discount_codes")]
    assert {code["code"]: code["usage_count"] for code in codes if code["usage_count"]} == typed
    assert len(typed) > 2
    for order in orders:
        off = sum(Decimal(code["amount"]) for code in order["discount_codes"])
        assert off == Decimal(order["total_discounts"])
    assert {code["price_rule_id"] for code in codes} == {rule["id"] for rule in rules}


def test_what_all_places_have_is_what_a_variant_says(shop):
    variants = [variant for product in shop.whole("products") for variant in product["variants"]]
    items = ",".join(str(variant["inventory_item_id"]) for variant in variants)
    places = [place["id"] for place in shop.get("locations.json")]
    levels = [level for place in places for level in shop.whole("inventory_levels", location_ids=place)]
    there: Counter[int] = Counter()
    for level in levels:
        there[level["inventory_item_id"]] += level["available"]
    assert {variant["inventory_item_id"]: variant["inventory_quantity"] for variant in variants} == there
    assert len(levels) == 2 * len(variants)
    assert {item["id"]: item["sku"] for item in shop.whole("inventory_items", ids=items)} == {
        variant["inventory_item_id"]: variant["sku"] for variant in variants
    }
    one = shop.whole("inventory_levels", inventory_item_ids=variants[0]["inventory_item_id"])
    assert len(one) == 2


@pytest.mark.parametrize(("path", "status"), [("inventory_items.json", 400), ("inventory_levels.json", 422)])
def test_stock_is_asked_for_by_ids_only(shop, path, status):
    assert shop.ask(path, limit=250).status_code == status


def test_collections_hold_products_that_exist(shop):
    products = {product["id"]: product for product in shop.whole("products")}
    custom = {found["id"] for found in shop.whole("custom_collections")}
    collects = shop.whole("collects")
    assert {found["product_id"] for found in collects} <= products.keys()
    assert {found["collection_id"] for found in collects} == custom
    for found in shop.whole("smart_collections"):
        kinds = {rule["condition"] for rule in found["rules"]}
        assert kinds & {product["product_type"] for product in products.values()}


def test_a_completed_draft_is_the_order_that_it_names(shop, orders):
    by_id = {order["id"]: order for order in orders}
    drafts = shop.whole("draft_orders")
    assert {draft["status"] for draft in drafts} == {"open", "invoice_sent", "completed"}
    for draft in drafts:
        assert (draft["order_id"] is not None) == (draft["status"] == "completed")
        if draft["order_id"]:
            order = by_id[draft["order_id"]]
            assert draft["total_price"] == order["total_price"]
            assert draft["created_at"] <= order["created_at"] == draft["completed_at"] == draft["updated_at"]
            assert order["source_name"] == "shopify_draft_order"


def test_nothing_is_of_the_future(shop, orders):
    lists = [shop.whole(name) for name in LISTS]
    for record in (record for found in lists for record in found):
        for name in ("created_at", "updated_at", "closed_at", "cancelled_at", "invoice_sent_at", "completed_at"):
            if record.get(name):
                assert datetime.fromisoformat(record[name]) <= ACCOUNT.world.horizon
                assert datetime.fromisoformat(record[name]).utcoffset() == timedelta(hours=-7)


@pytest.mark.parametrize("name", LISTS)
def test_a_further_day_changes_only_what_carries_a_later_updated_at(client, name):
    before = {record["id"]: record for record in Shop(client, ACCOUNT).whole(name)}
    after = {record["id"]: record for record in Shop(client, NEXT_DAY).whole(name)}
    assert before.keys() <= after.keys()
    for number, record in after.items():
        if before.get(number) != record:
            assert datetime.fromisoformat(record["updated_at"]) > ACCOUNT.world.horizon
        if number not in before:
            assert datetime.fromisoformat(record["created_at"]) > ACCOUNT.world.horizon


def test_every_answer_tells_how_many_calls_were_made(shop):
    for answer in (shop.ask("shop.json"), shop.ask("orders/1.json"), shop.ask("gift_cards.json")):
        assert answer.headers["X-Shopify-Shop-Api-Call-Limit"] == "1/40"


@pytest.mark.parametrize("headers", [{}, {"X-Shopify-Access-Token": "shpat_wrong"}], ids=["no token", "wrong token"])
def test_without_its_token_a_shop_says_nothing(client, headers):
    answer = client.get("/shopify/admin/api/2025-10/shop.json", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["errors"].startswith("[API] Invalid API key or access token")


def test_a_scope_that_the_app_lacks_is_named(shop):
    answer = shop.ask("gift_cards.json")
    assert answer.status_code == 403
    assert "read_gift_cards scope" in answer.json()["errors"]


@pytest.mark.parametrize(
    "path", ["orders/1.json", "orders/1/transactions.json", "price_rules/1/discount_codes.json", "nothing.json"]
)
def test_what_is_not_there_is_not_found(shop, path):
    answer = shop.ask(path)
    assert (answer.status_code, answer.json()) == (404, {"errors": "Not Found"})


def test_an_ended_version_is_answered_by_the_one_there_is(shop):
    def ask(version: str):
        return shop.client.get(f"/shopify/admin/api/{version}/shop.json", headers=shop.headers)

    assert ask("2019-04").headers["X-Shopify-API-Version"] == "2025-10"
    assert ask("newest").status_code == 404


def test_too_many_calls_are_refused_in_the_shops_own_form(client):
    answer = Shop(client, FAULTY).ask("shop.json")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "3"
    assert answer.headers["X-Shopify-Shop-Api-Call-Limit"] == "40/40"
    assert answer.json()["errors"].startswith("Exceeded 2 calls per second")


def test_drifts_reach_nested_streams_and_single_records(client):
    shop = Shop(client, DRIFTED)
    variants = [variant for product in shop.whole("products") for variant in product["variants"]]
    assert all("sku" not in variant and variant["stock_code"] for variant in variants)
    assert "city" not in shop.get("shop.json")


def test_the_configuration_is_that_of_the_connector(client):
    given = client.get("/sandbox/accounts/small").json()["configurations"]["shopify"]
    assert given == {
        "shop": "sandbox-shop",
        "credentials": {"auth_method": "api_password", "api_password": key_of(ACCOUNT, API)},
        "base_url": f"{str(client.base_url).rstrip('/')}/shopify/admin/api/2025-10",
        "start_date": "2025-01-25",
    }
