"""What subscriptions and invoices are made of: prices, subscription items and invoice lines."""

from random import Random

from airbyte_sandbox.schema import Record
from airbyte_sandbox.world import token


def price_of(plan: Record) -> Record:
    """A plan as the price it became; both have one id."""
    return {
        "id": plan["id"],
        "object": "price",
        "active": plan["active"],
        "billing_scheme": plan["billing_scheme"],
        "created": plan["created"],
        "currency": plan["currency"],
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": plan["nickname"],
        "product": plan["product"],
        "recurring": {
            "aggregate_usage": None,
            "interval": plan["interval"],
            "interval_count": plan["interval_count"],
            "trial_period_days": None,
            "usage_type": plan["usage_type"],
        },
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring",
        "unit_amount": plan["amount"],
        "unit_amount_decimal": str(plan["amount"]),
    }


def subscription_item(subscription: Record) -> Record:
    """The one item of a subscription."""
    plan = subscription["plan"]
    return {
        "id": _derived(subscription["id"], "si_", 14),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": subscription["created"],
        "discounts": [],
        "metadata": {},
        "plan": plan,
        "price": price_of(plan),
        "quantity": subscription["quantity"],
        "subscription": subscription["id"],
        "tax_rates": [],
    }


def invoice_line(invoice: Record, subscription: Record) -> Record:
    """The one line of an invoice: a period of its subscription."""
    plan, amount = subscription["plan"], invoice["amount_due"]
    return {
        "id": _derived(invoice["id"], "il_1", 23),
        "object": "line_item",
        "amount": amount,
        "amount_excluding_tax": amount,
        "currency": invoice["currency"],
        "description": f"{subscription['quantity']} x {plan['nickname']}",
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice["id"],
        "livemode": False,
        "metadata": {},
        "period": {"start": invoice["period_start"], "end": invoice["period_end"]},
        "plan": plan,
        "price": price_of(plan),
        "proration": False,
        "proration_details": {"credited_items": None},
        "quantity": subscription["quantity"],
        "subscription": subscription["id"],
        "subscription_item": subscription["items"]["data"][0]["id"],
        "tax_amounts": [],
        "tax_rates": [],
        "type": "subscription",
        "unit_amount_excluding_tax": str(plan["amount"]),
    }


def _derived(owner: str, prefix: str, length: int) -> str:
    return token(Random(f"{prefix}{owner}"), prefix, length)  # noqa: S311 - nothing here is secret
