"""The shop's streams as files: customers, what is on its shelves, and orders."""

from collections.abc import Sequence
from datetime import datetime

from airbyte_sandbox.people import Person, population
from airbyte_sandbox.schema import Record
from airbyte_sandbox.shopify.addresses import customer_place, place
from airbyte_sandbox.shopify.sales import Order, customer_id, orders, orders_by_person
from airbyte_sandbox.shopify.shelves import product_records
from airbyte_sandbox.world import World

SHOP_URL = "sandbox-shop.example"
LINE_BASE, REFUND_BASE = 13 * 10**12, 9 * 10**11


def shop_streams(world: World) -> dict[str, list[Record]]:
    """Every stream of the shop as it is on the world's last day, oldest record first."""
    by_person = orders_by_person(world)
    shoppers = [person for person in population(world) if person.shops]
    return {
        "customers": [_customer(person, by_person.get(person.number, ())) for person in shoppers],
        "orders": [_order_record(order, world.horizon) for order in orders(world)],
        "products": product_records(world, SHOP_URL),
    }


def _order_record(order: Order, horizon: datetime) -> Record:
    standing = order.standing(horizon)
    cancelled, shipped, back = standing.cancelled, standing.shipped, standing.back
    person, country = order.person, order.person.country
    return {
        "id": order.id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order.id}",
        "name": f"#{1001 + order.sequence}",
        "number": 1 + order.sequence,
        "order_number": 1001 + order.sequence,
        "app_id": 580111,
        "email": person.email,
        "contact_email": person.email,
        "currency": "USD",
        "presentment_currency": country.currency.upper(),
        "shop_url": SHOP_URL,
        "financial_status": "refunded" if back else "paid",
        "fulfillment_status": "fulfilled" if shipped else None,
        "cancel_reason": "customer" if cancelled else None,
        "gateway": "shopify_payments",
        "source_name": "web",
        "tags": "",
        "note": None,
        "processed_at": _iso(order.placed_at),
        "created_at": _iso(order.placed_at),
        "updated_at": _iso(order.updated_at(horizon)),
        "closed_at": _iso(shipped) if shipped else None,
        "cancelled_at": _iso(cancelled) if cancelled else None,
        "total_price": order.total,
        "subtotal_price": order.subtotal,
        "total_tax": order.tax,
        "total_discounts": order.discount,
        "total_line_items_price": order.items_price,
        "total_outstanding": 0.0,
        "total_price_set": _both(order.total, person),
        "total_shipping_price_set": _both(order.shipping, person),
        "confirmed": True,
        "taxes_included": False,
        "test": False,
        "buyer_accepts_marketing": person.number % 3 == 0,
        "customer": {
            "id": customer_id(person),
            "email": person.email,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "created_at": _iso(person.joined_at),
        },
        "shipping_address": place(person),
        "line_items": [_line(order, place, shipped) for place in range(len(order.lines))],
        "refunds": [_refund(order, back)] if back else [],
    }


def _line(order: Order, place: int, shipped: datetime | None) -> Record:
    article, quantity = order.lines[place]
    line_id = LINE_BASE + order.sequence * 8 + place
    return {
        "id": line_id,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line_id}",
        "name": f"{article.title} - {article.option}",
        "title": article.title,
        "sku": article.sku,
        "variant_title": article.option,
        "vendor": article.vendor,
        "fulfillment_service": "manual",
        "fulfillment_status": "fulfilled" if shipped else None,
        "product_id": article.product_id,
        "variant_id": article.variant_id,
        "quantity": quantity,
        "grams": article.grams,
        "fulfillable_quantity": 0 if shipped else quantity,
        "price": article.price,
        "total_discount": 0.0,
        "taxable": True,
        "requires_shipping": True,
        "product_exists": True,
        "gift_card": False,
    }


def _refund(order: Order, at: datetime) -> Record:
    refund_id = REFUND_BASE + order.sequence
    adjustment = {
        "id": refund_id * 10,
        "amount": f"-{order.total:.2f}",
        "kind": "refund_discrepancy",
        "reason": "Refund",
    }
    return {
        "id": refund_id,
        "order_id": order.id,
        "created_at": _iso(at),
        "processed_at": _iso(at),
        "note": None,
        "restock": True,
        "order_adjustments": [adjustment],
    }


def _customer(person: Person, orders: Sequence[Order]) -> Record:
    last = orders[-1] if orders else None
    return {
        "id": customer_id(person),
        "admin_graphql_api_id": f"gid://shopify/Customer/{customer_id(person)}",
        "email": person.email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "phone": person.phone,
        "state": "enabled" if person.number % 4 else "disabled",
        "tags": "",
        "note": None,
        "currency": "USD",
        "shop_url": SHOP_URL,
        "last_order_id": last.id if last else None,
        "last_order_name": f"#{1001 + last.sequence}" if last else None,
        "orders_count": len(orders),
        "total_spent": round(sum((order.total for order in orders), 0.0), 2),
        "created_at": _iso(person.joined_at),
        "updated_at": _iso(last.placed_at if last else person.joined_at),
        "verified_email": True,
        "tax_exempt": False,
        "accepts_marketing": person.number % 3 == 0,
        "default_address": customer_place(person),
        "addresses": [customer_place(person)],
    }


def _both(dollars: float, person: Person) -> Record:
    country = person.country
    there = round(dollars * country.per_usd, 2 if country.minor_units > 1 else 0)
    return {
        "shop_money": {"amount": dollars, "currency_code": "USD"},
        "presentment_money": {"amount": there, "currency_code": country.currency.upper()},
    }


def _iso(at: datetime) -> str:
    return at.isoformat()
