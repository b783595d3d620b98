"""How the help desk's API says no."""

from airbyte_sandbox.server.api import ApiError, Call, Reply

UNAUTHORISED = Reply(401, {"error": "Couldn't authenticate you"}, {"WWW-Authenticate": 'Basic realm="Web Password"'})
RATE_LIMITED = Reply(
    429,
    {"error": "APIRateLimitExceeded", "description": "Number of allowed API requests per minute exceeded"},
    {"X-Rate-Limit": "700", "X-Rate-Limit-Remaining": "0"},
)
SERVER_ERROR = Reply(500, {"error": "InternalServerError", "description": "Something went wrong"})
UNKNOWN_PATH = Reply(404, {"error": "InvalidEndpoint", "description": "Not found"})
NOT_FOUND = Reply(404, {"error": "RecordNotFound", "description": "Not found"})
START_TOO_RECENT = Reply(
    400,
    {
        "error": "StartTimeTooRecent",
        "description": "Too recent start_time. Use a start_time older than 1 minute",
    },
)
FORBIDDEN = Reply(
    403,
    {
        "error": {
            "title": "Forbidden",
            "message": "You do not have access to this page. "
            "Please contact the account owner of this help desk for further help.",
        }
    },
)


def forbidden(_: Call) -> Reply:
    """What a plan or a role leaves out."""
    return FORBIDDEN


def invalid(call: Call, name: str, wanted: str) -> ApiError:
    """A parameter that is not what it has to be."""
    message = f"You passed an invalid value for the {name} attribute. Invalid parameter: {name} must be {wanted}"
    where = call.path.strip("/").removesuffix(".json")
    return ApiError(Reply(400, {"error": {"title": "Invalid attribute", "message": f"{message} from {where}"}}))


def invalid_page(name: str) -> ApiError:
    """A page size or cursor that is none."""
    error = {"code": "InvalidPaginationParameter", "title": f"{name} is not valid"}
    return ApiError(Reply(400, {"errors": [error]}))
