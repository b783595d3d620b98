"""Records as the API has them: those of the file export with the fields that it leaves out."""

from collections.abc import Mapping

from airbyte_sandbox.schema import Record
from airbyte_sandbox.stripe.billing import invoice_line, subscription_item


def whole_customer(customer: Record, invoices: int) -> Record:
    """A customer who has had that many invoices."""
    return {
        **customer,
        "default_source": None,
        "discount": None,
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "next_invoice_sequence": invoices + 1,
        "shipping": None,
        "test_clock": None,
    }


def whole_charge(charge: Record, customer: Record, dispute: Record | None) -> Record:
    """A charge with whom it was billed to and whether it is disputed."""
    return {
        **charge,
        "amount_captured": charge["amount"] if charge["captured"] else 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "billing_details": {name: customer[name] for name in ("address", "email", "name", "phone")},
        "calculated_statement_descriptor": "SANDBOX",
        "destination": None,
        "dispute": dispute["id"] if dispute else None,
        "disputed": dispute is not None,
        "failure_balance_transaction": None,
        "fraud_details": {},
        "on_behalf_of": None,
        "order": None,
        "payment_method": None,
        "radar_options": {},
        "receipt_number": None,
        "receipt_url": None,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor_suffix": None,
        "transfer_data": None,
        "transfer_group": None,
    }


def whole_refund(refund: Record) -> Record:
    """A refund with where it went."""
    return {
        **refund,
        "destination_details": {"type": "card", "card": {"type": "refund"}},
        "source_transfer_reversal": None,
        "transfer_reversal": None,
    }


def whole_plan(plan: Record) -> Record:
    """A plan with its amount in decimals, too."""
    return {
        **plan,
        "aggregate_usage": None,
        "amount_decimal": str(plan["amount"]),
        "meter": None,
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
    }


def whole_subscription(subscription: Record, latest_invoice: str | None) -> Record:
    """A subscription with its item."""
    found = {**subscription, "plan": whole_plan(subscription["plan"])}
    found["items"] = {**subscription["items"], "data": [subscription_item(found)]}
    return {
        **found,
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"enabled": False, "liability": None},
        "billing_thresholds": None,
        "cancel_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "currency": subscription["plan"]["currency"],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discount": None,
        "discounts": [],
        "latest_invoice": latest_invoice,
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "test_clock": None,
        "transfer_data": None,
        "trial_start": None,
    }


def whole_invoice(invoice: Record, subscription: Record, customer: Record, charges: Mapping[str, Record]) -> Record:
    """An invoice with its lines, its payment intent and its customer's address."""
    line = invoice_line(invoice, subscription)
    return {
        **invoice,
        "account_country": "US",
        "account_name": "Sandbox",
        "amount_shipping": 0,
        "application": None,
        "automatic_tax": {"enabled": False, "status": None},
        "collection_method": "charge_automatically",
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": None,
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "discount": None,
        "discounts": [],
        "effective_at": invoice["created"],
        "footer": None,
        "lines": {
            "object": "list",
            "data": [line],
            "has_more": False,
            "total_count": 1,
            "url": f"/v1/invoices/{invoice['id']}/lines",
        },
        "next_payment_attempt": None,
        "paid_out_of_band": False,
        "payment_intent": charges[invoice["charge"]]["payment_intent"],
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "subscription_details": {"metadata": {}},
        "subtotal_excluding_tax": invoice["subtotal"],
        "total_discount_amounts": [],
        "total_excluding_tax": invoice["total"],
        "total_tax_amounts": [],
        "webhooks_delivered_at": invoice["created"],
    }
