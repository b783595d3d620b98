"""How the CRM's API says no."""

from airbyte_sandbox.schema import Record
from airbyte_sandbox.server.api import ApiError, Reply

_CORRELATION = "00000000-0000-4000-8000-000000000001"


def _error(message: str, category: str, **more: object) -> Record:
    return {"status": "error", "message": message, "correlationId": _CORRELATION, "category": category, **more}


UNAUTHORISED = Reply(
    401,
    _error(
        "Authentication credentials not found. This API supports OAuth 2.0 authentication "
        "and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        "INVALID_AUTHENTICATION",
    ),
)
RATE_LIMITED = Reply(
    429,
    {
        "status": "error",
        "message": "You have reached your ten_secondly_rolling limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": _CORRELATION,
        "policyName": "TEN_SECONDLY_ROLLING",
    },
    {
        "X-HubSpot-RateLimit-Max": "100",
        "X-HubSpot-RateLimit-Remaining": "0",
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
    },
)
SERVER_ERROR = Reply(500, _error("internal error", "INTERNAL_ERROR"))
UNKNOWN_PATH = Reply(404, _error("No handler for this path", "OBJECT_NOT_FOUND"))
NOT_FOUND = Reply(404, _error("resource not found", "OBJECT_NOT_FOUND"))


def missing_scope(scope: str) -> ApiError:
    """What the private app was not given."""
    errors = [
        {
            "message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": [scope]},
        }
    ]
    message = (
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: "
    )
    address = "https://developers.hubspot.com/scopes"
    body = _error(f"{message}{address}.", "MISSING_SCOPES", errors=errors, links={"scopes": address})
    return ApiError(Reply(403, body))


def invalid(message: str) -> ApiError:
    """A request that is not as it has to be."""
    return ApiError(Reply(400, _error(message, "VALIDATION_ERROR")))
