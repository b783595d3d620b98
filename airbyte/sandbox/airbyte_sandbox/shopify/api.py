"""The shop by Shopify's REST Admin API, which it calls legacy and keeps."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from airbyte_sandbox.server.api import ApiError, Call, Handler, Reply, ToolApi
from airbyte_sandbox.shopify.children import ROUTES
from airbyte_sandbox.shopify.paging import refused
from airbyte_sandbox.shopify.resources import CALLS_MADE, HEADERS, NOT_FOUND, RESOURCES, VERSION, routes_of
from airbyte_sandbox.shopify.shop_records import SHOP


def _routes() -> dict[str, Handler]:
    found = dict(ROUTES)
    for resource in RESOURCES:
        found |= routes_of(resource)
    return {f"GET /admin/api/{{version}}/{path}": _versioned(handler) for path, handler in found.items()}


def _versioned(handler: Handler) -> Handler:
    """A version that has ended is answered as the one there is; a word that is none is not found."""

    def answer(call: Call) -> Reply:
        if not re.fullmatch(r"20\d\d-(01|04|07|10)|unstable", call.path_parameters["version"]):
            raise refused(404, NOT_FOUND)
        try:
            return handler(call)
        except ApiError as error:
            raise ApiError(replace(error.reply, headers=HEADERS)) from None

    return answer


def _credential(headers: Mapping[str, str], path: str) -> str | None:
    return headers.get("x-shopify-access-token") or None


def _configuration(base_url: str, key: str) -> dict[str, object]:
    return {
        "shop": SHOP,
        "credentials": {"auth_method": "api_password", "api_password": key},
        "base_url": f"{base_url}/admin/api/{VERSION}",
    }


def _start(first_day: date) -> dict[str, object]:
    """Before the shop opened, for rules and products are as old as it."""
    return {"start_date": (first_day - timedelta(days=402)).isoformat()}


API = ToolApi(
    name="shopify",
    routes=_routes(),
    credential=_credential,
    configuration=_configuration,
    start=_start,
    key_prefix="shpat_",
    unauthorised=Reply(
        401, {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}, HEADERS
    ),
    rate_limited=Reply(
        429,
        {"errors": "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service."},
        {**HEADERS, CALLS_MADE: "40/40"},
    ),
    server_error=Reply(500, {"errors": "Internal Server Error"}, HEADERS),
    not_found=Reply(404, {"errors": NOT_FOUND}, HEADERS),
)
