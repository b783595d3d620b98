"""Payments that a bank took back; like refunds they come on the day of their charge, and stay as they are."""

from datetime import UTC, datetime, time, timedelta

from airbyte_sandbox.schema import Record
from airbyte_sandbox.world import World, token

_DISPUTED = 0.015
_REASONS = (("fraudulent", "10.4"), ("product_not_received", "13.1"), ("duplicate", "12.6"), ("unrecognized", "10.4"))
_EVIDENCE = (
    *("access_activity_log", "billing_address", "cancellation_policy", "cancellation_rebuttal", "customer_name"),
    *("customer_communication", "customer_email_address", "customer_purchase_ip", "customer_signature", "receipt"),
    *("product_description", "refund_policy", "service_date", "shipping_address", "uncategorized_text"),
)


def dispute_of(world: World, charge: Record) -> Record | None:
    """The dispute of a charge, which few paid and none refunded ones have; accepted at once, so that it is lost."""
    dice = world.dice("dispute", charge["id"])
    if not charge["paid"] or charge["amount_refunded"] or dice.random() >= _DISPUTED:
        return None
    reason, code = dice.choice(_REASONS)
    asked = datetime.fromtimestamp(charge["created"], UTC)
    midnight = datetime.combine(asked.date(), time(), UTC) + timedelta(days=1)
    created = dice.randrange(charge["created"], int(midnight.timestamp()))
    card = charge["payment_method_details"]["card"]
    return {
        "id": token(dice, "dp_1", 23),
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transaction": token(dice, "txn_1", 23),
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "evidence": dict.fromkeys(_EVIDENCE) | {"customer_email_address": charge["receipt_email"]},
        "evidence_details": {
            "due_by": int((midnight + timedelta(days=8)).timestamp()) - 1,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "network_reason_code": code,
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "type": "card",
            "card": {"brand": card["brand"], "case_type": "chargeback", "network_reason_code": code},
        },
        "reason": reason,
        "status": "lost",
    }
