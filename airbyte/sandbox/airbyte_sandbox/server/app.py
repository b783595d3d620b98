"""The application: every tool below its name, and the accounts below `/sandbox`."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Route

from airbyte_sandbox.server.accounts import Accounts
from airbyte_sandbox.server.answering import ToolServer
from airbyte_sandbox.server.api import ToolApi
from airbyte_sandbox.server.control import Control

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
# By these names alone: a web page that makes its own name lead here reaches nothing.
_HOSTS = ["127.0.0.1", "localhost", "[::1]"]


def create_app(accounts: Accounts, apis: Sequence[ToolApi]) -> Starlette:
    """The sandbox as an ASGI application."""
    tools = [Route(f"/{api.name}/{{path:path}}", ToolServer(api, accounts).answer, methods=_METHODS) for api in apis]
    return Starlette(
        routes=[*Control(accounts, apis).routes(), *tools],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS, www_redirect=False)],
    )
