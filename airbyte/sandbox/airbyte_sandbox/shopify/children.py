"""What the API has in one place only: below an order, a product or a rule, or by ids alone."""

from collections.abc import Sequence

from airbyte_sandbox.server.api import Call, Handler, Reply
from airbyte_sandbox.shopify import rows
from airbyte_sandbox.shopify.campaigns import rules
from airbyte_sandbox.shopify.order_records import refunds_of
from airbyte_sandbox.shopify.paging import refused
from airbyte_sandbox.shopify.payment_records import transactions_of
from airbyte_sandbox.shopify.resources import NOT_FOUND, Resource, answer, listed
from airbyte_sandbox.shopify.rows import Row
from airbyte_sandbox.shopify.sales import Order, orders_by_id
from airbyte_sandbox.shopify.shop_records import location_records, shop_record
from airbyte_sandbox.world import World


def _nowhere(_: World) -> Sequence[Row]:
    return ()


_VARIANTS = Resource("variants", "variant", "product_variants", rows.variant_rows)
_ITEMS = Resource("inventory_items", "inventory_item", "inventory_items", rows.item_rows)
_CODES = Resource("discount_codes", "discount_code", "discount_codes", _nowhere)
_LEVELS = Resource("inventory_levels", "inventory_level", "inventory_levels", rows.level_rows)
# What a shop has too, and the sandbox's app has no scope for.
_FORBIDDEN = {"gift_cards": "read_gift_cards", "reports": "read_reports", "script_tags": "read_script_tags"}


def _order(call: Call) -> Order:
    wanted = call.path_parameters["order_id"]
    found = orders_by_id(call.account.world).get(int(wanted)) if wanted.isdecimal() else None
    if not found:
        raise refused(404, NOT_FOUND)
    return found


def _transactions(call: Call) -> Reply:
    found = transactions_of(call.account.world, _order(call))
    return answer(call, "transactions", call.account.drifted("shopify", "transactions", found))


def _refunds(call: Call) -> Reply:
    found = refunds_of(call.account.world, _order(call))
    return answer(call, "refunds", call.account.drifted("shopify", "order_refunds", found))


def _variants(call: Call) -> Reply:
    wanted = call.path_parameters["product_id"]
    found = [row for row in rows.variant_rows(call.account.world) if row.facts["product_id"] == wanted]
    if not found:
        raise refused(404, NOT_FOUND)
    return listed(call, _VARIANTS, found)


def _discount_codes(call: Call) -> Reply:
    world, wanted = call.account.world, call.path_parameters["price_rule_id"]
    rule = next((rule for rule in rules(world) if str(rule.id) == wanted), None)
    if not rule:
        raise refused(404, NOT_FOUND)
    return listed(call, _CODES, rows.code_rows(world, rule))


def _inventory_items(call: Call) -> Reply:
    if not call.one("ids") and not call.one("page_info"):
        raise refused(400, {"ids": "Required parameter missing or invalid"})
    return listed(call, _ITEMS, rows.item_rows(call.account.world))


def _inventory_levels(call: Call) -> Reply:
    if not any(call.one(name) for name in ("location_ids", "inventory_item_ids", "page_info")):
        raise refused(422, {"base": ["At least one of location_ids or inventory_item_ids must be given"]})
    return listed(call, _LEVELS, rows.level_rows(call.account.world))


def _locations(call: Call) -> Reply:
    found = call.account.drifted("shopify", "locations", location_records(call.account.world))
    return answer(call, "locations", found)


def _shop(call: Call) -> Reply:
    return answer(call, "shop", call.account.drifted("shopify", "shop", [shop_record(call.account.world)])[0])


def _forbidden(scope: str) -> Handler:
    def refuse(_: Call) -> Reply:
        raise refused(403, f"[API] This action requires merchant approval for {scope} scope.")

    return refuse


ROUTES: dict[str, Handler] = {
    "shop.json": _shop,
    "locations.json": _locations,
    "inventory_items.json": _inventory_items,
    "inventory_levels.json": _inventory_levels,
    "orders/{order_id}/transactions.json": _transactions,
    "orders/{order_id}/refunds.json": _refunds,
    "products/{product_id}/variants.json": _variants,
    "price_rules/{price_rule_id}/discount_codes.json": _discount_codes,
    **{f"{name}.json": _forbidden(scope) for name, scope in _FORBIDDEN.items()},
}
