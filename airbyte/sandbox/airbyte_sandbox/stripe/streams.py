"""The payment service's streams, in the shapes of Stripe's public API (a subset of its fields)."""

from airbyte_sandbox.schema import Stream, anything, boolean, fields, integer, listing, number, record, text

_address = record(fields("city country line1 line2 postal_code state", text))

_plan = {
    **fields("id object nickname product interval currency billing_scheme usage_type", text),
    **fields("amount interval_count created", integer),
    **fields("active livemode", boolean),
    "metadata": anything,
}

_customers = {
    **fields("id object name email phone description currency invoice_prefix tax_exempt", text),
    **fields("created balance", integer),
    **fields("delinquent livemode", boolean),
    "address": _address,
    "preferred_locales": listing(text),
    "metadata": anything,
}

_charges = {
    **fields("object customer invoice payment_intent balance_transaction currency status description", text),
    **fields("failure_code failure_message receipt_email statement_descriptor dispute", text),
    **fields("amount amount_refunded created", integer),
    **fields("paid captured refunded livemode", boolean),
    "id": {"type": ["string"]},
    "outcome": record(
        {**fields("type seller_message reason risk_level network_status", text), "risk_score": integer},
    ),
    "payment_method_details": record(
        {
            "type": text,
            "card": record(
                {**fields("brand country funding last4", text), **fields("exp_month exp_year", integer)},
            ),
        },
    ),
    "metadata": anything,
}

_refunds = {
    **fields("id object charge payment_intent balance_transaction currency reason status receipt_number", text),
    **fields("amount created", integer),
    "metadata": anything,
}

_products = {
    **fields("id object name description type unit_label statement_descriptor url", text),
    **fields("created updated", integer),
    **fields("active livemode shippable", boolean),
    "images": listing(text),
    "metadata": anything,
}

_subscriptions = {
    **fields("id object customer status billing", text),
    **fields("created start_date current_period_start quantity days_until_due", integer),
    **fields("current_period_end billing_cycle_anchor canceled_at ended_at trial_end", number),
    **fields("cancel_at_period_end livemode", boolean),
    "plan": record(_plan),
    "items": record(
        {**fields("object url", text), "has_more": boolean, "total_count": number, "data": listing(record({}))},
    ),
    "metadata": anything,
}

_invoices = {
    **fields("id object customer subscription charge number currency status billing_reason description", text),
    **fields("created amount_due amount_paid amount_remaining attempt_count subtotal tax total", integer),
    **fields("starting_balance ending_balance", integer),
    **fields("period_start period_end due_date", number),
    **fields("attempted paid livemode auto_advance", boolean),
    "status_transitions": record(fields("finalized_at marked_uncollectible_at paid_at voided_at", integer)),
    "metadata": anything,
}

STREAMS = (
    Stream("customers", _customers, cursor="created"),
    Stream("charges", _charges, cursor="created"),
    Stream("refunds", _refunds, cursor="created"),
    Stream("products", _products, cursor="created"),
    Stream("plans", _plan, cursor="created"),
    Stream("subscriptions", _subscriptions, cursor="created"),
    Stream("invoices", _invoices, cursor="created"),
)
