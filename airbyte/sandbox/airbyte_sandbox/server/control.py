"""`/sandbox`: the accounts of the sandbox, and for each the configurations that its connectors take."""

from collections.abc import Sequence
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_sandbox.server.account import Account
from airbyte_sandbox.server.accounts import Accounts, SettingsError, settings_of
from airbyte_sandbox.server.api import ToolApi
from airbyte_sandbox.server.credentials import key_of


class Control:
    """The endpoints below `/sandbox`."""

    def __init__(self, accounts: Accounts, apis: Sequence[ToolApi]) -> None:
        self._accounts = accounts
        self._apis = apis

    def routes(self) -> list[Route]:
        """What the application mounts."""
        return [
            Route("/sandbox/health", self._health),
            Route("/sandbox/accounts", self._list),
            Route("/sandbox/accounts/{name}", self._get, methods=["GET"]),
            Route("/sandbox/accounts/{name}", self._change, methods=["PUT"]),
            Route("/sandbox/accounts/{name}", self._remove, methods=["DELETE"]),
        ]

    async def _health(self, _: Request) -> Response:
        return _json({"status": "ok", "tools": [api.name for api in self._apis]})

    async def _list(self, _: Request) -> Response:
        return _json({"accounts": [settings_of(account) for account in self._accounts.all()]})

    async def _get(self, request: Request) -> Response:
        name = request.path_params["name"]
        account = self._accounts.get(name)
        return self._shown(request, account) if account else _unknown(name)

    async def _change(self, request: Request) -> Response:
        try:
            given = orjson.loads(await request.body() or b"{}")
        except orjson.JSONDecodeError:
            given = None
        if not isinstance(given, dict):
            return _json({"error": "An account's settings are a JSON object."}, 400)
        name = request.path_params["name"]
        is_new = self._accounts.get(name) is None
        try:
            self._check_tools(given)
            account = await run_in_threadpool(self._accounts.change, name, given)
        except SettingsError as error:
            return _json({"error": str(error)}, 422)
        except OSError as error:
            return _json({"error": f"The file of the accounts cannot be written: {error.strerror}."}, 500)
        return self._shown(request, account, 201 if is_new else 200)

    async def _remove(self, request: Request) -> Response:
        name = request.path_params["name"]
        found = await run_in_threadpool(self._accounts.remove, name)
        return Response(status_code=204) if found else _unknown(name)

    def _check_tools(self, given: dict[str, Any]) -> None:
        known = [api.name for api in self._apis]
        for setting in ("faults", "drifts"):
            found = given.get(setting)
            for one in found if isinstance(found, list) else ():
                tool = one.get("tool") if isinstance(one, dict) else None
                if tool not in known:
                    raise SettingsError(f"{setting}: there is no tool {tool!r}; known are {', '.join(known)}.")

    def _shown(self, request: Request, account: Account, status: int = 200) -> Response:
        base_url = f"{request.url.scheme}://{request.url.netloc}"
        return _json({**settings_of(account), "configurations": configurations(account, self._apis, base_url)}, status)


def configurations(account: Account, apis: Sequence[ToolApi], base_url: str) -> dict[str, dict[str, Any]]:
    """By tool what its connector takes to read this account from the sandbox at `base_url` (no slash at its end)."""
    return {
        api.name: {**api.configuration(f"{base_url}/{api.name}", key_of(account, api)), **api.start(account.start)}
        for api in apis
    }


def _unknown(name: str) -> Response:
    return _json({"error": f"There is no account {name!r}; PUT /sandbox/accounts/{name} makes it."}, 404)


def _json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
