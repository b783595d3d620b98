"""How the API says no."""

from airbyte_sandbox.server.api import ApiError, Reply

_DOCS = "https://docs.github.com/rest"

UNAUTHORISED = Reply(401, {"message": "Bad credentials", "documentation_url": _DOCS, "status": "401"})
NOT_FOUND = Reply(404, {"message": "Not Found", "documentation_url": _DOCS, "status": "404"})
SERVER_ERROR = Reply(502, {"message": "Server Error"})
# The limit that GitHub meets bursts with; that of the hour is told by headers, and is never used up here.
RATE_LIMITED = Reply(
    403,
    {
        "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
        "documentation_url": f"{_DOCS}/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits",
        "status": "403",
    },
)


def missing() -> ApiError:
    """What is not there, or not for this token: GitHub does not say which."""
    return ApiError(NOT_FOUND)


def invalid(resource: str, field: str, value: str | None = None) -> ApiError:
    """A parameter that the API does not take."""
    error = {"resource": resource, "field": field, "code": "invalid", **({"value": value} if value else {})}
    body = {"message": "Validation Failed", "errors": [error], "documentation_url": _DOCS, "status": "422"}
    return ApiError(Reply(422, body))


def empty_repository() -> ApiError:
    """What the list of commits is as long as there is none."""
    return ApiError(Reply(409, {"message": "Git Repository is empty.", "documentation_url": _DOCS, "status": "409"}))


def too_far() -> ApiError:
    """A page beyond what the API keeps of a long list."""
    message = "In order to keep the API fast for everyone, pagination is limited for this resource."
    return ApiError(Reply(422, {"message": message, "documentation_url": f"{_DOCS}/activity/events", "status": "422"}))


def bad_version(version: str) -> ApiError:
    """A version of the API that there is not."""
    message = f"The version '{version}' specified in the X-GitHub-Api-Version header is not a supported version."
    return ApiError(Reply(400, {"message": message, "documentation_url": f"{_DOCS}/about-the-rest-api/api-versions"}))


def unnamed_client() -> ApiError:
    """A request that does not say what asks."""
    message = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header."
    return ApiError(Reply(403, message, {"Content-Type": "text/html"}))
