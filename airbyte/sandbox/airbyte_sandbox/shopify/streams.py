"""The shop's streams, in the shapes of Shopify's public API (a subset of its fields)."""

from airbyte_sandbox.schema import Stream, anything, boolean, fields, integer, listing, moment, number, record, text

_address = record(
    {
        **fields("first_name last_name name company address1 address2 city province zip phone", text),
        **fields("country country_code country_name", text),
        **fields("id customer_id", integer),
        "default": boolean,
    },
)
_money = record({"amount": number, "currency_code": text})
_money_set = record({"shop_money": _money, "presentment_money": _money})

_customers = {
    **fields("admin_graphql_api_id email first_name last_name phone state tags note currency shop_url", text),
    **fields("last_order_name", text),
    **fields("id orders_count last_order_id", integer),
    **fields("created_at updated_at", moment),
    **fields("verified_email tax_exempt accepts_marketing", boolean),
    "total_spent": number,
    "default_address": _address,
    "addresses": listing(_address),
}

_line_item = {
    **fields("admin_graphql_api_id name title sku variant_title vendor fulfillment_service fulfillment_status", text),
    **fields("id product_id variant_id quantity grams fulfillable_quantity", integer),
    **fields("price total_discount", number),
    **fields("taxable requires_shipping product_exists gift_card", boolean),
}

_orders = {
    **fields("admin_graphql_api_id name email contact_email currency presentment_currency shop_url", text),
    **fields("financial_status fulfillment_status cancel_reason gateway source_name tags note processed_at", text),
    **fields("id order_number number app_id", integer),
    **fields("created_at updated_at closed_at cancelled_at", moment),
    **fields("total_price subtotal_price total_tax total_discounts total_line_items_price total_outstanding", number),
    **fields("confirmed taxes_included test buyer_accepts_marketing", boolean),
    "total_price_set": _money_set,
    "total_shipping_price_set": _money_set,
    "customer": record({**fields("email first_name last_name", text), "id": integer, "created_at": moment}),
    "shipping_address": record(
        fields("first_name last_name name company address1 address2 city province zip phone country country_code", text)
    ),
    "line_items": listing(record(_line_item)),
    "refunds": listing(
        record(
            {
                **fields("id order_id", integer),
                **fields("created_at processed_at", moment),
                "note": text,
                "restock": boolean,
                "order_adjustments": listing(record({"id": integer, "amount": text, "kind": text, "reason": text})),
            },
        ),
    ),
}

_variant = {
    **fields("admin_graphql_api_id title sku option1 inventory_policy inventory_management fulfillment_service", text),
    **fields("id position inventory_item_id inventory_quantity old_inventory_quantity grams", integer),
    **fields("created_at updated_at", moment),
    **fields("price compare_at_price", number),
    **fields("taxable requires_shipping", boolean),
}

_products = {
    **fields("admin_graphql_api_id title body_html vendor product_type handle status tags published_scope", text),
    **fields("shop_url template_suffix", text),
    **fields("created_at updated_at published_at", moment),
    "id": integer,
    "variants": listing(record(_variant)),
    "options": listing(
        record({**fields("id product_id position", integer), "name": text, "values": listing(text)}),
    ),
    "images": listing(anything),
}

STREAMS = (
    Stream("customers", _customers, cursor="updated_at"),
    Stream("orders", _orders, cursor="updated_at"),
    Stream("products", _products, cursor="updated_at"),
)
