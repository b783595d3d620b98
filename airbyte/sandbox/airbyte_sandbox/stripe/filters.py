"""The parameters of Stripe's lists: which each one takes, and which records they leave."""

from collections.abc import Callable, Mapping

from airbyte_sandbox.schema import Record
from airbyte_sandbox.server.api import ApiError, Call
from airbyte_sandbox.stripe.errors import invalid, refusal

Test = Callable[[Record], bool]

EQUAL: Mapping[str, tuple[str, ...]] = {
    "customers": ("email",),
    "products": ("active", "type"),
    "plans": ("active", "product"),
    "subscriptions": ("customer", "collection_method"),
    "invoices": ("customer", "subscription", "status", "collection_method"),
    "charges": ("customer", "payment_intent"),
    "refunds": ("charge", "payment_intent"),
    "payment_intents": ("customer",),
    "payouts": ("status", "destination"),
    "balance_transactions": ("currency", "source", "type"),
    "disputes": ("charge", "payment_intent"),
    "coupons": (),
}
_BOUNDS: Mapping[str, Callable[[int, int], bool]] = {
    "": int.__eq__,
    "[gt]": int.__gt__,
    "[gte]": int.__ge__,
    "[lt]": int.__lt__,
    "[lte]": int.__le__,
}
_PAGING = ("limit", "starting_after", "ending_before")
_STATUSES = ("all", "ended", "active", "canceled", "incomplete", "incomplete_expired", "past_due", "trialing", "unpaid")
_LAST_VERSION = "2025-03-30"


def check_request(call: Call, known: tuple[str, ...]) -> None:
    """Refuse a version that answers otherwise, an expansion, and a parameter that the list does not have."""
    version = call.headers.get("stripe-version")
    if version and version[:10] > _LAST_VERSION:
        message = f"The sandbox answers as versions until {_LAST_VERSION} do, not as {version}."
        raise ApiError(refusal(400, message))
    for name in call.query:
        if name.startswith("expand"):
            raise invalid(f"This property cannot be expanded ({call.one(name)}).", name)
        if name not in (*_PAGING, *known):
            raise invalid(f"Received unknown parameter: {name}", name, "parameter_unknown")


def tests(call: Call, stream: str, payout_of: Mapping[str, str]) -> list[Test]:
    """What a record has to pass to be listed."""
    ranges = {"payouts": ("created", "arrival_date")}.get(stream, ("created",))
    bounds = tuple(f"{field}{bound}" for field in ranges for bound in _BOUNDS)
    special = {"subscriptions": ("status",), "balance_transactions": ("payout",)}.get(stream, ())
    check_request(call, (*EQUAL[stream], *bounds, *special))
    found = [_equals(call, name) for name in EQUAL[stream] if name in call.query]
    found += [_within(call, field, bound) for field in ranges for bound in _BOUNDS if field + bound in call.query]
    if stream == "subscriptions":
        found.append(_subscription_status(call))
    if payout := call.one("payout"):
        found.append(lambda record: payout_of.get(record["id"]) == payout)
    return found


def _equals(call: Call, name: str) -> Test:
    text = call.one(name)
    if name == "active":
        if text not in ("true", "false"):
            raise invalid(f"Invalid boolean: {text}", name)
        return lambda record: bool(record[name]) is (text == "true")
    return lambda record: record[name] == text


def _within(call: Call, field: str, bound: str) -> Test:
    limit = integer(call, field + bound)
    compare = _BOUNDS[bound]
    return lambda record: compare(record[field], limit)


def _subscription_status(call: Call) -> Test:
    """Without a status the cancelled ones are left out."""
    status = call.one("status")
    if status not in (None, *_STATUSES):
        raise invalid(f"Invalid status: must be one of {', '.join(_STATUSES)}", "status")
    if status == "all":
        return lambda record: True
    if status == "ended":
        return lambda record: record["status"] in ("canceled", "incomplete_expired")
    if status:
        return lambda record: record["status"] == status
    return lambda record: record["status"] != "canceled"


def integer(call: Call, name: str) -> int:
    """A parameter that must be a whole number."""
    text = call.one(name) or ""
    try:
        return int(text)
    except ValueError:
        raise invalid(f"Invalid integer: {text}", name, "parameter_invalid_integer") from None
