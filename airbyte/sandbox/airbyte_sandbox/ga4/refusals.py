"""How Google's APIs say no."""

from airbyte_sandbox.server.api import ApiError, Reply


def refusal(code: int, status: str, message: str) -> Reply:
    """A refusal in the form of all of Google's APIs."""
    return Reply(code, {"error": {"code": code, "message": message, "status": status}})


UNAUTHORISED = refusal(
    401,
    "UNAUTHENTICATED",
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
)
RATE_LIMITED = refusal(
    429,
    "RESOURCE_EXHAUSTED",
    "Exhausted property tokens per hour for a project. These quota tokens will return in under an hour. To learn more, "
    "see https://developers.google.com/analytics/devguides/reporting/data/v1/quotas",
)
SERVER_ERROR = refusal(503, "UNAVAILABLE", "The service is currently unavailable.")
NOT_FOUND = refusal(404, "NOT_FOUND", "Method not found.")
FORBIDDEN = refusal(
    403,
    "PERMISSION_DENIED",
    "User does not have sufficient permissions for this property. To learn more about Property ID, see "
    "https://developers.google.com/analytics/devguides/reporting/data/v1/property-id.",
)


def invalid(message: str) -> ApiError:
    """A report that cannot be made as it was asked for."""
    return ApiError(refusal(400, "INVALID_ARGUMENT", message))


def unknown(kind: str, name: str) -> ApiError:
    """A dimension or metric that there is not."""
    return invalid(
        f"Field {name} is not a valid {kind}. For a list of valid dimensions and metrics, see "
        "https://developers.google.com/analytics/devguides/reporting/data/v1/api-schema"
    )
