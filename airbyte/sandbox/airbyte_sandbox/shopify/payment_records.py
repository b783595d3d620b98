"""The money of an order: what was paid, what was refused, and what went back."""

from datetime import UTC, datetime, time, timedelta

from airbyte_sandbox.schema import Record
from airbyte_sandbox.shopify.bills import Bill, bill
from airbyte_sandbox.shopify.money import NOTHING, bag
from airbyte_sandbox.shopify.sales import Order
from airbyte_sandbox.shopify.stamps import graphql_id, stamp
from airbyte_sandbox.shopify.stock_records import WAREHOUSE
from airbyte_sandbox.world import World

REFUND_BASE = 9 * 10**11
_TRANSACTION_BASE = 6_600_000_000_000


def transactions_of(world: World, order: Order) -> list[Record]:
    """Every transaction of an order until the last day, oldest first; each moves the order's `updated_at`."""
    costs, standing = bill(order), order.standing(world.horizon)
    sale = _transaction(order, costs, 1, "sale", order.placed_at)
    refused = [] if world.dice("refused", order.sequence).random() > 0.06 else [_refused(order, costs)]
    return [*refused, sale, *([_refund(order, costs, standing.back)] if standing.back else [])]


def _refused(order: Order, costs: Bill) -> Record:
    """A card that was declined a minute before another was taken."""
    midnight = datetime.combine(order.placed_at.date(), time(), UTC)
    tried = _transaction(order, costs, 0, "sale", max(midnight, order.placed_at - timedelta(seconds=60)))
    return {**tried, "status": "failure", "error_code": "card_declined", "message": "Your card was declined."}


def _refund(order: Order, costs: Bill, at: datetime) -> Record:
    parent = _TRANSACTION_BASE + order.sequence * 8 + 1
    return {**_transaction(order, costs, 2, "refund", at), "parent_id": parent}


def _transaction(order: Order, costs: Bill, place: int, kind: str, at: datetime) -> Record:
    transaction_id = _TRANSACTION_BASE + order.sequence * 8 + place
    return {
        "id": transaction_id,
        "order_id": order.id,
        "kind": kind,
        "gateway": "shopify_payments",
        "status": "success",
        "message": "Transaction approved",
        "created_at": stamp(at),
        "test": False,
        "authorization": f"ch_{transaction_id:x}",
        "location_id": None,
        "user_id": None,
        "parent_id": None,
        "processed_at": stamp(at),
        "device_id": None,
        "error_code": None,
        "source_name": "web",
        "payment_details": {
            "credit_card_bin": "424242",
            "avs_result_code": "Y",
            "cvv_result_code": "M",
            "credit_card_number": "•••• •••• •••• 4242",
            "credit_card_company": "Visa",
            "credit_card_name": order.person.name,
            "credit_card_wallet": None,
            "credit_card_expiration_month": 1 + order.person.number % 12,
            "credit_card_expiration_year": 2030,
        },
        "receipt": {},
        "amount": costs.total.text,
        "currency": "USD",
        "payment_id": f"#{1001 + order.sequence}.{place}",
        "total_unsettled_set": bag(NOTHING, costs.country),
        "manual_payment_gateway": False,
        "admin_graphql_api_id": graphql_id("OrderTransaction", transaction_id),
    }


def refund_record(order: Order, costs: Bill, at: datetime, lines: list[Record], *, cancelled: bool) -> Record:
    """Everything goes back: the lines with their tax, the delivery as an adjustment, and the money."""
    refund_id = REFUND_BASE + order.sequence
    return {
        "id": refund_id,
        "admin_graphql_api_id": graphql_id("Refund", refund_id),
        "created_at": stamp(at),
        "note": None,
        "order_id": order.id,
        "processed_at": stamp(at),
        "restock": True,
        "total_duties_set": bag(NOTHING, costs.country),
        "user_id": None,
        "order_adjustments": _delivery_back(order, costs, refund_id),
        "transactions": [_refund(order, costs, at)],
        "refund_line_items": [
            {
                "id": refund_id * 10 + place,
                "line_item_id": record["id"],
                "location_id": WAREHOUSE,
                "quantity": line.quantity,
                "restock_type": "cancel" if cancelled else "return",
                "subtotal": float(line.subtotal.text),
                "subtotal_set": bag(line.subtotal, costs.country),
                "total_tax": float(line.tax.text),
                "total_tax_set": bag(line.tax, costs.country),
                "line_item": record,
            }
            for place, (line, record) in enumerate(zip(costs.lines, lines, strict=True), start=1)
        ],
        "duties": [],
        "refund_shipping_lines": [],
    }


def _delivery_back(order: Order, costs: Bill, refund_id: int) -> list[Record]:
    if not costs.shipping.shop:
        return []
    back = NOTHING - costs.shipping
    return [
        {
            "id": refund_id * 10,
            "amount": back.text,
            "amount_set": bag(back, costs.country),
            "kind": "shipping_refund",
            "order_id": order.id,
            "reason": "Shipping refund",
            "refund_id": refund_id,
            "tax_amount": "0.00",
            "tax_amount_set": bag(NOTHING, costs.country),
        }
    ]
