"""Lines, addresses, discounts and deliveries: what orders, drafts and checkouts are made of."""

from airbyte_sandbox.schema import Record
from airbyte_sandbox.shopify.bills import Bill, BillLine
from airbyte_sandbox.shopify.campaigns import Code
from airbyte_sandbox.shopify.money import NOTHING, Amount, bag
from airbyte_sandbox.shopify.stamps import graphql_id
from airbyte_sandbox.words import Country


def line_records(bill: Bill, first_id: int, *, fulfilled: bool, kept: bool = True) -> list[Record]:
    """The lines of a bill; nothing is left to fulfil where they were sent or are not `kept`."""
    return [
        _line(bill, line, first_id + place, fulfilled=fulfilled, kept=kept) for place, line in enumerate(bill.lines)
    ]


def _line(bill: Bill, line: BillLine, line_id: int, *, fulfilled: bool, kept: bool) -> Record:
    article, country = line.article, bill.country
    return {
        "id": line_id,
        "admin_graphql_api_id": graphql_id("LineItem", line_id),
        "current_quantity": line.quantity if kept else 0,
        "fulfillable_quantity": line.quantity if kept and not fulfilled else 0,
        "fulfillment_service": "manual",
        "fulfillment_status": "fulfilled" if fulfilled else None,
        "gift_card": False,
        "grams": article.grams,
        "name": f"{article.title} - {article.option}",
        "price": line.price.text,
        "price_set": bag(line.price, country),
        "product_exists": True,
        "product_id": article.product_id,
        "properties": [],
        "quantity": line.quantity,
        "requires_shipping": True,
        "sku": article.sku,
        "taxable": True,
        "title": article.title,
        # What is taken off the whole order is among the allocations, not here.
        "total_discount": "0.00",
        "total_discount_set": bag(NOTHING, country),
        "variant_id": article.variant_id,
        "variant_inventory_management": "shopify",
        "variant_title": article.option,
        "vendor": article.vendor,
        "tax_lines": tax_lines(line.tax, country),
        "duties": [],
        "discount_allocations": _allocations(line, country),
    }


def _allocations(line: BillLine, country: Country) -> list[Record]:
    if not line.discount.shop:
        return []
    return [
        {
            "amount": line.discount.text,
            "amount_set": bag(line.discount, country),
            "discount_application_index": 0,
        }
    ]


def tax_lines(tax: Amount, country: Country) -> list[Record]:
    """The one tax of a country."""
    return [
        {
            "price": tax.text,
            "rate": country.tax,
            "title": "Sales tax" if country.code == "US" else "VAT",
            "price_set": bag(tax, country),
            "channel_liable": False,
        }
    ]


def discount_applications(code: Code | None) -> list[Record]:
    """How a code takes a tenth off."""
    if not code:
        return []
    return [
        {
            "target_type": "line_item",
            "type": "discount_code",
            "value": "10.0",
            "value_type": "percentage",
            "allocation_method": "across",
            "target_selection": "all",
            "code": code.code,
        }
    ]


def discount_codes(code: Code | None, bill: Bill) -> list[Record]:
    """The code that was typed and what it took off."""
    return [{"code": code.code, "amount": bill.discount.text, "type": "percentage"}] if code else []


def shipping_lines(bill: Bill, line_id: int) -> list[Record]:
    """The one delivery."""
    fee = bag(bill.shipping, bill.country)
    return [
        {
            "id": line_id,
            "carrier_identifier": None,
            "code": "Standard" if bill.shipping.shop else "Free",
            "discounted_price": bill.shipping.text,
            "discounted_price_set": fee,
            "phone": None,
            "price": bill.shipping.text,
            "price_set": fee,
            "source": "shopify",
            "title": "Standard" if bill.shipping.shop else "Free shipping",
            "tax_lines": [],
            "discount_allocations": [],
        }
    ]
