"""Stripe's API (docs.stripe.com/api) as of version 2022-11-15: what it lists and what it answers for one id."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from airbyte_sandbox.schema import Record
from airbyte_sandbox.server.api import Account, ApiError, Call, Handler, Reply, ToolApi
from airbyte_sandbox.server.credentials import basic, bearer
from airbyte_sandbox.stripe import errors
from airbyte_sandbox.stripe.contents import Contents, collection, contents
from airbyte_sandbox.stripe.filters import EQUAL, check_request, tests
from airbyte_sandbox.stripe.listing import listed
from airbyte_sandbox.world import token


def _collection(stream: str) -> Handler:
    def answer(call: Call) -> Reply:
        found = _found(call)
        return listed(call, found.collections[stream], tests(call, stream, found.payout_of))

    return answer


def _single(stream: str) -> Handler:
    def answer(call: Call) -> Reply:
        record = _object(call, stream, call.path_parameters["id"])
        return Reply(body=call.account.drifted("stripe", stream, [record])[0])

    return answer


def _subscription_items(call: Call) -> Reply:
    """`/v1/subscription_items` names the subscription that it is asked for."""
    check_request(call, ("subscription",))
    subscription = call.one("subscription")
    if not subscription:
        raise errors.invalid("Missing required param: subscription.", "subscription", "parameter_missing")
    found = _found(call).collections["subscriptions"].get(subscription)
    if found is None:
        raise errors.invalid(f"No such subscription: '{subscription}'", "subscription", "resource_missing")
    return listed(call, collection("subscription_items", found["items"]["data"]))


def _invoice_lines(call: Call) -> Reply:
    check_request(call, ())
    lines = _object(call, "invoices", call.path_parameters["invoice_id"])["lines"]["data"]
    return listed(call, collection("invoice_line_items", lines))


def _balance(call: Call) -> Reply:
    """What is left in each currency, which is the sum of all balance transactions."""
    found = _found(call).collections["balance_transactions"].records
    sums = {
        status: [
            {"amount": amount, "currency": currency, "source_types": {"card": amount}}
            for currency in sorted({record["currency"] for record in found})
            for amount in [sum(r["net"] for r in found if (r["currency"], r["status"]) == (currency, status))]
        ]
        for status in ("available", "pending")
    }
    return Reply(body={"object": "balance", "livemode": False, **sums})


def _account(call: Call) -> Reply:
    return Reply(
        body={
            "id": _account_id(call.account),
            "object": "account",
            "charges_enabled": True,
            "country": "US",
            "default_currency": "usd",
            "email": f"{call.account.name}@example.com",
            "payouts_enabled": True,
            "type": "standard",
        }
    )


def _found(call: Call) -> Contents:
    """The account's collections, which it may have asked for as a connected account, too."""
    asked = call.headers.get("stripe-account")
    if asked and asked != _account_id(call.account):
        message = f"The provided key does not have access to account '{asked}' (or that account does not exist)."
        raise ApiError(errors.refusal(403, message, code="account_invalid"))
    return contents(call.account.world)


def _object(call: Call, stream: str, key: str) -> Record:
    record = _found(call).collections[stream].get(key)
    if record is None:
        noun = stream.removesuffix("s")
        raise ApiError(errors.refusal(404, f"No such {noun}: '{key}'", code="resource_missing", param="id"))
    return record


def _account_id(account: Account) -> str:
    return token(account.world.dice("account"), "acct_1", 15)


def _credential(headers: Mapping[str, str], path: str) -> str | None:
    """Bearer, or Basic with the key as the user."""
    login = basic(headers)
    return login[0] or None if login else bearer(headers, path)


def _configuration(base_url: str, key: str) -> dict[str, Any]:
    return {"client_secret": key, "base_url": base_url}


def _start(first_day: date) -> dict[str, Any]:
    """Early enough for what was sold before the first day: see the plans' and the people's dates."""
    return {"start_date": f"{first_day - timedelta(days=3 * 366):%Y-%m-%d}T00:00:00Z"}


_LISTS: dict[str, Callable[[Call], Reply]] = {f"GET /v1/{stream}": _collection(stream) for stream in EQUAL}
_SINGLES: dict[str, Callable[[Call], Reply]] = {f"GET /v1/{stream}/{{id}}": _single(stream) for stream in EQUAL}

API = ToolApi(
    name="stripe",
    routes={
        **_LISTS,
        "GET /v1/subscription_items": _subscription_items,
        "GET /v1/invoices/{invoice_id}/lines": _invoice_lines,
        "GET /v1/balance": _balance,
        "GET /v1/account": _account,
        **_SINGLES,
    },
    credential=_credential,
    configuration=_configuration,
    start=_start,
    key_prefix="sk_test_",
    unauthorised=errors.UNAUTHORISED,
    rate_limited=errors.RATE_LIMITED,
    server_error=errors.SERVER_ERROR,
    not_found=errors.NOT_FOUND,
)
