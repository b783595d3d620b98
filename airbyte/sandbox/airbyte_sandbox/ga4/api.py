"""Google Analytics' Data API (v1beta) for one property, and Google's token endpoint.

A drift that drops or renames a field makes Google refuse the old name, as it does when it retires one; other drifts
change nothing, for a report has the fields that were asked for.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from airbyte_sandbox.ga4 import refusals, tokens
from airbyte_sandbox.ga4.asking import read_question
from airbyte_sandbox.ga4.fields import DIMENSIONS, METRICS
from airbyte_sandbox.ga4.reports import report
from airbyte_sandbox.server.api import ApiError, Call, Handler, Reply, ToolApi

_PROPERTY = "412000001"
_MOST_IN_A_BATCH = 5


def _of_property(handler: Callable[[Call], dict[str, Any]]) -> Handler:
    """Refuses what is not the number of a property, and every property but the one there is."""

    def answer(call: Call) -> Reply:
        number = call.path_parameters["number"]
        if not number.isdecimal():
            raise refusals.invalid(
                f"Invalid property ID: {number}. A numeric Property ID is required. To learn more about Property ID, "
                "see https://developers.google.com/analytics/devguides/reporting/data/v1/property-id."
            )
        if number != _PROPERTY:
            raise ApiError(refusals.FORBIDDEN)
        return Reply(200, handler(call))

    return answer


def _report(call: Call) -> dict[str, Any]:
    return _made(call, call.body)


def _reports(call: Call) -> dict[str, Any]:
    asked = call.body.get("requests") if isinstance(call.body, dict) else None
    if not isinstance(asked, list) or not 1 <= len(asked) <= _MOST_IN_A_BATCH:
        raise refusals.invalid(f"A batch has one to {_MOST_IN_A_BATCH} requests.")
    return {"reports": [_made(call, one) for one in asked], "kind": "analyticsData#batchRunReports"}


def _made(call: Call, body: Any) -> dict[str, Any]:
    # Today has begun, and nothing of it is known yet.
    today = call.account.world.end + timedelta(days=1)
    drifts = [drift for drift in call.account.drifts if drift.tool == API.name]
    gone = [drift.field for drift in drifts if drift.kind in ("drop_field", "rename_field")]
    return report(call.account.world, read_question(body, today, gone))


def _metadata(call: Call) -> dict[str, Any]:
    return {
        "name": f"properties/{_PROPERTY}/metadata",
        "dimensions": [{"apiName": name, "uiName": name} for name in DIMENSIONS],
        "metrics": [{"apiName": name, "uiName": name, "type": found.type} for name, found in METRICS.items()],
    }


def _configuration(base_url: str, key: str) -> dict[str, Any]:
    return {
        "credentials": {
            "auth_type": "Client",
            "client_id": tokens.CLIENT_ID,
            "client_secret": tokens.CLIENT_SECRET,
            "refresh_token": key,
        },
        "property_ids": [_PROPERTY],
        "base_url": f"{base_url}/v1beta",
        "token_url": f"{base_url}/token",
    }


API = ToolApi(
    name="ga4",
    routes={
        "POST /v1beta/properties/{number}:runReport": _of_property(_report),
        "POST /v1beta/properties/{number}:batchRunReports": _of_property(_reports),
        "GET /v1beta/properties/{number}/metadata": _of_property(_metadata),
    },
    public_routes={"POST /token": tokens.give_token},
    credential=tokens.credential,
    configuration=_configuration,
    start=lambda first_day: {"date_ranges_start_date": first_day.isoformat()},
    key_prefix=tokens.KEY_PREFIX,
    unauthorised=refusals.UNAUTHORISED,
    rate_limited=refusals.RATE_LIMITED,
    server_error=refusals.SERVER_ERROR,
    not_found=refusals.NOT_FOUND,
)
