"""Orders as the API has them, with their fulfilments, refunds and transactions."""

from datetime import datetime

from airbyte_sandbox.schema import Record
from airbyte_sandbox.shopify.addresses import address
from airbyte_sandbox.shopify.baskets import ordered_drafts
from airbyte_sandbox.shopify.bills import Bill, bill
from airbyte_sandbox.shopify.campaigns import code_of
from airbyte_sandbox.shopify.customer_records import customer_summary
from airbyte_sandbox.shopify.line_records import (
    discount_applications,
    discount_codes,
    line_records,
    shipping_lines,
    tax_lines,
)
from airbyte_sandbox.shopify.money import NOTHING, Amount, bag
from airbyte_sandbox.shopify.payment_records import REFUND_BASE, refund_record
from airbyte_sandbox.shopify.sales import Order, Standing
from airbyte_sandbox.shopify.shop_records import SHOP
from airbyte_sandbox.shopify.stamps import graphql_id, optional_stamp, stamp
from airbyte_sandbox.shopify.stock_records import WAREHOUSE
from airbyte_sandbox.world import World

LINE_BASE = 13 * 10**12
_NEVER_SET = (
    "client_details",
    "device_id",
    "landing_site_ref",
    "location_id",
    "merchant_of_record_app_id",
    "note",
    "payment_terms",
    "phone",
    "po_number",
    "reference",
    "source_identifier",
    "source_url",
    "user_id",
)


def first_line_id(order: Order) -> int:
    """The id of an order's first line; the others follow."""
    return LINE_BASE + order.sequence * 8


def order_record(world: World, order: Order) -> Record:
    """An order as it is on the world's last day."""
    standing, costs, person = order.standing(world.horizon), bill(order), order.person
    code = code_of(world, order)
    return {
        "id": order.id,
        "admin_graphql_api_id": graphql_id("Order", order.id),
        **_names(order),
        **_visit(world, order),
        **_state(standing),
        **_sums(costs, standing.back),
        "created_at": stamp(order.placed_at),
        "processed_at": stamp(order.placed_at),
        "updated_at": stamp(order.updated_at(world.horizon)),
        "customer": customer_summary(person),
        "billing_address": address(person),
        "shipping_address": address(person),
        "discount_applications": discount_applications(code),
        "discount_codes": discount_codes(code, costs),
        "fulfillments": [_fulfilment(order, costs, standing.shipped)] if standing.shipped else [],
        "line_items": line_records(
            costs, first_line_id(order), fulfilled=bool(standing.shipped), kept=not standing.back
        ),
        "refunds": refunds_of(world, order),
        "shipping_lines": shipping_lines(costs, LINE_BASE // 3 + order.sequence),
        "tax_lines": tax_lines(costs.tax, person.country),
        "total_weight": costs.grams,
        **dict.fromkeys(_NEVER_SET),
    }


def _names(order: Order) -> Record:
    """What it is called, and by whom it can be reached."""
    person, number = order.person, 1001 + order.sequence
    return {
        "name": f"#{number}",
        "number": number - 1000,
        "order_number": number,
        "email": person.email,
        "contact_email": person.email,
        "currency": "USD",
        "presentment_currency": person.country.currency.upper(),
        "customer_locale": "en",
        "buyer_accepts_marketing": person.number % 3 == 0,
        "note_attributes": [],
        "tags": "",
    }


def _visit(world: World, order: Order) -> Record:
    """How it came: by the shop's window, or from a draft."""
    drafted = order.sequence in ordered_drafts(world)
    token = f"{world.dice('order token', order.sequence).getrandbits(128):032x}"
    return {
        "app_id": 580_111,
        "browser_ip": None if drafted else f"203.0.113.{order.person.number % 254 + 1}",
        "cart_token": None if drafted else token[::-1],
        "checkout_id": order.id + 7,
        "checkout_token": token[8:] + token[:8],
        "confirmation_number": token[:9].upper(),
        "landing_site": None if drafted else "/",
        "order_status_url": f"https://{SHOP}.myshopify.com/orders/{token}/authenticate",
        "referring_site": None if drafted else "",
        "source_name": "shopify_draft_order" if drafted else "web",
        "token": token,
    }


def _state(standing: Standing) -> Record:
    """What has become of it."""
    return {
        "cancel_reason": "customer" if standing.cancelled else None,
        "cancelled_at": optional_stamp(standing.cancelled),
        "closed_at": optional_stamp(standing.shipped),
        "confirmed": True,
        "duties_included": False,
        "estimated_taxes": False,
        "financial_status": "refunded" if standing.back else "paid",
        "fulfillment_status": "fulfilled" if standing.shipped else None,
        "payment_gateway_names": ["shopify_payments"],
        "tax_exempt": False,
        "taxes_included": False,
        "test": False,
    }


def refunds_of(world: World, order: Order) -> list[Record]:
    """The order's refund, where there was one."""
    standing, costs = order.standing(world.horizon), bill(order)
    if not standing.back:
        return []
    lines = line_records(costs, first_line_id(order), fulfilled=bool(standing.shipped), kept=False)
    return [refund_record(order, costs, standing.back, lines, cancelled=bool(standing.cancelled))]


def _sums(costs: Bill, back: datetime | None) -> Record:
    """All amounts; the current ones are without what went back, and here all goes back at once."""
    sums: dict[str, Amount] = {
        "subtotal_price": costs.subtotal,
        "total_discounts": costs.discount,
        "total_line_items_price": costs.gross,
        "total_price": costs.total,
        "total_tax": costs.tax,
    }
    current = {
        f"current_{name}": NOTHING if back else value
        for name, value in sums.items()
        if name != "total_line_items_price"
    }
    both = {**sums, **current}
    return {
        **{name: value.text for name, value in both.items()},
        **{f"{name}_set": bag(value, costs.country) for name, value in both.items()},
        "current_total_additional_fees_set": None,
        "current_total_duties_set": None,
        "original_total_additional_fees_set": None,
        "original_total_duties_set": None,
        "total_outstanding": "0.00",
        "total_shipping_price_set": bag(costs.shipping, costs.country),
        "total_tip_received": "0.00",
    }


def _fulfilment(order: Order, costs: Bill, at: datetime) -> Record:
    fulfilment_id = REFUND_BASE * 5 + order.sequence
    return {
        "id": fulfilment_id,
        "admin_graphql_api_id": graphql_id("Fulfillment", fulfilment_id),
        "created_at": stamp(at),
        "location_id": WAREHOUSE,
        "name": f"#{1001 + order.sequence}.1",
        "order_id": order.id,
        "origin_address": {},
        "receipt": {},
        "service": "manual",
        "shipment_status": None,
        "status": "success",
        "tracking_company": "Sandbox Parcel",
        "tracking_number": f"SP{order.sequence:010}",
        "tracking_numbers": [f"SP{order.sequence:010}"],
        "tracking_url": None,
        "tracking_urls": [],
        "updated_at": stamp(at),
        "line_items": line_records(costs, first_line_id(order), fulfilled=True),
    }
