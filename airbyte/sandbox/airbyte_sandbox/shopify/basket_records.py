"""Draft orders and left checkouts as the API has them."""

from airbyte_sandbox.schema import Record
from airbyte_sandbox.shopify.addresses import address
from airbyte_sandbox.shopify.baskets import Checkout, Draft
from airbyte_sandbox.shopify.bills import Bill, bill
from airbyte_sandbox.shopify.customer_records import customer_summary
from airbyte_sandbox.shopify.line_records import line_records, shipping_lines, tax_lines
from airbyte_sandbox.shopify.shop_records import SHOP
from airbyte_sandbox.shopify.stamps import graphql_id, optional_stamp, stamp
from airbyte_sandbox.world import World


def draft_status(world: World, draft: Draft) -> str:
    """What has become of a draft by the last day."""
    if draft.order:
        return "completed"
    return "invoice_sent" if draft.invoiced_at and draft.invoiced_at <= world.horizon else "open"


def draft_record(world: World, draft: Draft) -> Record:
    """A draft order; a completed one names its order."""
    costs, person, status = bill(draft.basket), draft.basket.person, draft_status(world, draft)
    token = f"{world.dice('draft token', draft.number).getrandbits(128):032x}"
    return {
        "id": draft.id,
        "note": None,
        "email": person.email,
        "taxes_included": False,
        "currency": "USD",
        "invoice_sent_at": optional_stamp(draft.invoiced_at if status == "invoice_sent" else None),
        "created_at": stamp(draft.created_at),
        "updated_at": stamp(draft.updated_at(world.horizon)),
        "tax_exempt": False,
        "completed_at": optional_stamp(draft.order.placed_at if draft.order else None),
        "name": f"#D{draft.number}",
        "status": status,
        "line_items": line_records(costs, draft.id // 2 + 1, fulfilled=False),
        "shipping_address": address(person),
        "billing_address": address(person),
        "invoice_url": f"https://{SHOP}.myshopify.com/invoices/{token}",
        "applied_discount": _applied_discount(costs),
        "order_id": draft.order.id if draft.order else None,
        "shipping_line": _shipping_line(costs),
        "tax_lines": tax_lines(costs.tax, person.country),
        "tags": "",
        "note_attributes": [],
        "total_price": costs.total.text,
        "subtotal_price": costs.subtotal.text,
        "total_tax": costs.tax.text,
        "payment_terms": None,
        "admin_graphql_api_id": graphql_id("DraftOrder", draft.id),
        "customer": customer_summary(person),
    }


def _applied_discount(costs: Bill) -> Record | None:
    if not costs.discount.shop:
        return None
    return {
        "description": "Ten percent",
        "value": "10.0",
        "title": "Ten percent",
        "amount": costs.discount.text,
        "value_type": "percentage",
    }


def _shipping_line(costs: Bill) -> Record:
    title = "Standard" if costs.shipping.shop else "Free shipping"
    return {"title": title, "custom": True, "handle": None, "price": costs.shipping.text}


def checkout_record(world: World, checkout: Checkout) -> Record:
    """A checkout that nobody finished."""
    costs, person = bill(checkout.basket), checkout.basket.person
    closed = checkout.closed_at if checkout.closed_at and checkout.closed_at <= world.horizon else None
    token = f"{world.dice('checkout token', checkout.number).getrandbits(128):032x}"
    return {
        "id": checkout.id,
        "token": token,
        "cart_token": token[::-1],
        "email": person.email,
        "gateway": None,
        "buyer_accepts_marketing": person.number % 3 == 0,
        "created_at": stamp(checkout.created_at),
        "updated_at": stamp(checkout.updated_at(world.horizon)),
        "landing_site": "/",
        "note": None,
        "note_attributes": [],
        "referring_site": "",
        "shipping_lines": shipping_lines(costs, checkout.id // 3),
        "taxes_included": False,
        "total_weight": costs.grams,
        "currency": "USD",
        "completed_at": None,
        "closed_at": optional_stamp(closed),
        "user_id": None,
        "location_id": None,
        "source_identifier": None,
        "source_url": None,
        "device_id": None,
        "phone": None,
        "customer_locale": "en",
        "line_items": line_records(costs, checkout.id // 2 + 1, fulfilled=False),
        "name": f"#{checkout.id}",
        "source": None,
        "abandoned_checkout_url": f"https://{SHOP}.example/690933842/checkouts/{token}/recover",
        "discount_codes": [],
        "tax_lines": tax_lines(costs.tax, person.country),
        "source_name": "web",
        "presentment_currency": person.country.currency.upper(),
        "total_discounts": costs.discount.text,
        "total_line_items_price": costs.gross.text,
        "total_price": costs.total.text,
        "total_tax": costs.tax.text,
        "subtotal_price": costs.subtotal.text,
        "total_duties": None,
        "billing_address": address(person),
        "shipping_address": address(person),
        "customer": customer_summary(person),
    }
