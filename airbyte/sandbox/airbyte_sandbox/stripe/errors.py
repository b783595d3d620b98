"""Refusals in Stripe's form."""

from airbyte_sandbox.server.api import ApiError, Reply

_DOCUMENTS = "https://stripe.com/docs/error-codes/"


def refusal(
    status: int, message: str, *, code: str | None = None, param: str | None = None, kind: str = "invalid_request_error"
) -> Reply:
    """An error object; a code brings the address of its page."""
    error: dict[str, str] = {"message": message, "type": kind}
    if code:
        error |= {"code": code, "doc_url": _DOCUMENTS + code.replace("_", "-")}
    if param:
        error["param"] = param
    return Reply(status, {"error": error})


def invalid(message: str, param: str, code: str | None = None) -> ApiError:
    """A parameter that is refused."""
    return ApiError(refusal(400, message, param=param, code=code))


UNAUTHORISED = refusal(401, "Invalid API Key provided. It must be sent as 'Authorization: Bearer YOUR_SECRET_KEY'.")
RATE_LIMITED = refusal(
    429,
    "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
    code="rate_limit",
)
SERVER_ERROR = refusal(500, "An error occurred in our servers; if it keeps happening, tell support.", kind="api_error")
NOT_FOUND = refusal(404, "Unrecognized request URL. Please see https://stripe.com/docs.")
