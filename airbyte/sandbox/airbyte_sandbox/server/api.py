"""What a tool's room offers the server: handlers by route, who a credential belongs to, and the tool's own refusals.

A room has `api.py` with `API = ToolApi(...)`, and one line in `airbyte_sandbox/server/tools.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from airbyte_sandbox.server.account import Account

__all__ = ["Account", "ApiError", "Call", "Handler", "PublicCall", "PublicHandler", "Reply", "ToolApi"]


@dataclass(frozen=True, kw_only=True)
class PublicCall:
    """One request that needs no credential, such as one for an OAuth token."""

    method: str
    path: str
    """Below the tool's base URL, with its leading slash: "/v1/customers"."""
    path_parameters: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case names."""
    body: Any = None
    """The JSON of a POST, or its form as texts by name (the last of a repeated one); None where there is none."""
    base_url: str = ""
    """Of the tool, as the request named it, without a slash at its end: "http://127.0.0.1:8100/stripe"; for links."""

    def one(self, name: str) -> str | None:
        """The last value of a query parameter, None where it is absent."""
        values = self.query.get(name)
        return values[-1] if values else None


@dataclass(frozen=True, kw_only=True)
class Call(PublicCall):
    """One request to a tool's API, by whom it may be."""

    account: Account
    """Whose data is asked for; `account.drifted(tool, stream, page)` belongs around every page of records."""


@dataclass(frozen=True)
class Reply:
    """What a tool answers: None is an empty body, text and bytes go out as they are, all else as JSON."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class ApiError(Exception):
    """Ends a handler with the reply that the tool's API would give."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.status} {reply.body}")
        self.reply = reply


Handler = Callable[[Call], Reply]
PublicHandler = Callable[[PublicCall], Reply]


def _no_start(_: date) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, kw_only=True)
class ToolApi:
    """One tool's API as the sandbox serves it at `/<name>`."""

    name: str
    routes: Mapping[str, Handler]
    """By method and path: "GET /v1/invoices/{invoice_id}/lines"; `{name:path}` takes slashes too."""
    credential: Callable[[Mapping[str, str], str], str | None]
    """From headers (lower-case) and path to the key presented, None where there is none."""
    configuration: Callable[[str, str], dict[str, Any]]
    """From base URL and key to the connector's configuration, all but its start date."""
    start: Callable[[date], dict[str, Any]] = _no_start
    """From the world's first day to the configuration's start date, in the connector's form; people came up to 401
    days before the first day."""
    key_prefix: str
    unauthorised: Reply
    rate_limited: Reply
    """The server sets Retry-After to what the fault says."""
    server_error: Reply
    not_found: Reply = field(default_factory=lambda: Reply(404, {"message": "Not Found"}))
    """For a path that the API does not have."""
    public_routes: Mapping[str, PublicHandler] = field(default_factory=dict)
    """Without a credential, such as an OAuth token endpoint."""
