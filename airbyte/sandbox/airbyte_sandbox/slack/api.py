"""The chat by Slack's Web API: one method a path, asked by GET or POST, and errors that are answers of 200."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from airbyte_sandbox.server.api import Call, Handler, Reply, ToolApi
from airbyte_sandbox.server.credentials import bearer
from airbyte_sandbox.slack import conversations
from airbyte_sandbox.slack.arguments import argument, cut, failure, limit, refused
from airbyte_sandbox.slack.members import app, members, team_id
from airbyte_sandbox.slack.records import user_record


def _list_users(call: Call) -> Reply:
    world = call.account.world
    found = members(world)
    page, cursor = cut(call, found, limit(call, len(found), 1000), "user", lambda member: member.id)
    records = call.account.drifted("slack", "users", [user_record(world, member) for member in page])
    body = {"ok": True, "members": records, "cache_ts": int(world.horizon.timestamp())}
    return Reply(200, {**body, "response_metadata": {"next_cursor": cursor}})


def _show_user(call: Call) -> Reply:
    world, wanted = call.account.world, argument(call, "user")
    found = next((member for member in members(world) if member.id == wanted), None)
    if not found:
        raise refused("user_not_found")
    return Reply(200, {"ok": True, "user": call.account.drifted("slack", "users", [user_record(world, found)])[0]})


def _who_am_i(call: Call) -> Reply:
    world = call.account.world
    names = {"url": "https://sandbox-labs.example/", "team": "Sandbox Labs", "user": app(world).login}
    return Reply(200, {"ok": True, **names, "team_id": team_id(world), "user_id": app(world).id})


def _has_no_scope(scope: str) -> Handler:
    def refuse(_: Call) -> Reply:
        raise refused("missing_scope", needed=scope, provided="channels:history,channels:read,users:read")

    return refuse


_METHODS: Mapping[str, Handler] = {
    "auth.test": _who_am_i,
    "conversations.list": conversations.list_channels,
    "conversations.info": conversations.show_channel,
    "conversations.members": conversations.list_members,
    "conversations.history": conversations.history,
    "conversations.replies": conversations.replies,
    "users.list": _list_users,
    "users.info": _show_user,
    "files.list": _has_no_scope("files:read"),
    "chat.postMessage": _has_no_scope("chat:write"),
    "conversations.join": _has_no_scope("channels:join"),
}


def _configuration(base_url: str, key: str) -> dict[str, Any]:
    return {
        "credentials": {"option_title": "API Token Credentials", "api_token": key},
        "base_url": base_url,
    }


def _start(first_day: date) -> dict[str, Any]:
    return {"start_date": f"{first_day.isoformat()}T00:00:00Z"}


API = ToolApi(
    name="slack",
    routes={f"{verb} /api/{name}": handler for name, handler in _METHODS.items() for verb in ("GET", "POST")},
    credential=bearer,
    configuration=_configuration,
    start=_start,
    key_prefix="xoxb-",
    unauthorised=failure("invalid_auth"),
    rate_limited=Reply(429, {"ok": False, "error": "ratelimited"}),
    server_error=Reply(500, {"ok": False, "error": "internal_error"}),
    not_found=failure("unknown_method"),
)
