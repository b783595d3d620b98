"""Payment intents: one for each charge, as the customer meant to pay."""

from airbyte_sandbox.schema import Record


def payment_intent(charge: Record) -> Record:
    """The intent of a charge: succeeded, or still waiting for a card that works."""
    paid = charge["paid"]
    return {
        "id": charge["payment_intent"],
        "object": "payment_intent",
        "amount": charge["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": charge["amount"] if paid else 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic",
        "client_secret": None,
        "confirmation_method": "automatic",
        "created": charge["created"],
        "currency": charge["currency"],
        "customer": charge["customer"],
        "description": charge["description"],
        "invoice": charge["invoice"],
        "last_payment_error": None if paid else _error(charge),
        "latest_charge": charge["id"],
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {"card": {"installments": None, "network": None}},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": charge["receipt_email"],
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded" if paid else "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def _error(charge: Record) -> Record:
    return {
        "charge": charge["id"],
        "code": charge["failure_code"],
        "decline_code": "generic_decline" if charge["failure_code"] == "card_declined" else charge["failure_code"],
        "message": charge["failure_message"],
        "type": "card_error",
    }
