"""One request to a tool: whose it is, what goes wrong, and what its handler says."""

import json
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from airbyte_sandbox.server.account import Account
from airbyte_sandbox.server.accounts import Accounts
from airbyte_sandbox.server.api import ApiError, Call, Handler, PublicCall, Reply, ToolApi
from airbyte_sandbox.server.credentials import key_of
from airbyte_sandbox.server.faults import CutResponse, Faults, refusal, wait_for
from airbyte_sandbox.server.routing import Routes


class ToolServer:
    """Answers a tool's requests for all accounts."""

    def __init__(self, api: ToolApi, accounts: Accounts) -> None:
        self._api = api
        self._accounts = accounts
        self._routes = Routes(api)
        self._faults = Faults()
        # A world is generated at its first request: once, however many requests come side by side.
        self._turns: defaultdict[str, Lock] = defaultdict(Lock)

    async def answer(self, request: Request) -> Response:
        """The tool's response; a handler's bug is a plain 500 with its trace in the log."""
        route = self._routes.find(request.method, "/" + request.path_params["path"])
        if route is None:
            return _response(self._api.not_found)
        call = PublicCall(
            method=request.method,
            path="/" + request.path_params["path"],
            path_parameters=route.parameters,
            query=parse_qs(request.url.query, keep_blank_values=True),
            headers=dict(request.headers),
            body=_parsed(request.headers.get("content-type", ""), await request.body()),
            base_url=f"{request.url.scheme}://{request.url.netloc}/{self._api.name}",
        )
        if route.public:
            public = route.public
            return _response(await run_in_threadpool(_reply, lambda: public(call), nullcontext()))
        assert route.handler
        return await self._answer_account(call, route.handler)

    async def _answer_account(self, call: PublicCall, handler: Handler) -> Response:
        account = self._account_of(call)
        if account is None:
            return _response(self._api.unauthorised)
        faults = self._faults.due(account, self._api)
        await wait_for(faults)
        refused = refusal(faults, self._api)
        if refused:
            return _response(refused)
        asked = Call(account=account, **vars(call))
        reply = await run_in_threadpool(_reply, lambda: handler(asked), self._turns[account.name])
        return _response(reply, CutResponse if any(fault.kind == "cut_body" for fault in faults) else Response)

    def _account_of(self, call: PublicCall) -> Account | None:
        presented = self._api.credential(call.headers, call.path)
        if presented is None:
            return None
        return next((one for one in self._accounts.all() if key_of(one, self._api) == presented), None)


def _reply(ask: Callable[[], Reply], turn: AbstractContextManager[object]) -> Reply:
    with turn:
        try:
            return ask()
        except ApiError as error:
            return error.reply


def _response(reply: Reply, kind: type[Response] = Response) -> Response:
    if reply.body is None or isinstance(reply.body, str | bytes):
        return kind(reply.body, reply.status, dict(reply.headers))
    return kind(orjson.dumps(reply.body), reply.status, {"Content-Type": "application/json", **reply.headers})


def _parsed(content_type: str, body: bytes) -> Any:
    """What a handler sees of a body; one that cannot be read is its text, which no handler takes for its own."""
    if not body:
        return None
    text = body.decode("utf-8", "replace")
    if "x-www-form-urlencoded" in content_type:
        return dict(parse_qsl(text, keep_blank_values=True))
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
