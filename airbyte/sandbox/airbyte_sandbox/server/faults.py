"""Faults switched on for an account: every so many requests something goes wrong, in the tool's own form."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from threading import Lock

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from airbyte_sandbox.server.account import Account, Fault
from airbyte_sandbox.server.api import Reply, ToolApi


class Faults:
    """Counts the requests of each account to each tool, and says what the present one meets."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: Counter[tuple[str, Fault]] = Counter()

    def due(self, account: Account, api: ToolApi) -> Sequence[Fault]:
        """The faults of this request; a changed fault is counted from the beginning."""
        met = [fault for fault in account.faults if fault.tool == api.name]
        with self._lock:
            self._requests.update((account.name, fault) for fault in met)
            return [fault for fault in met if self._requests[account.name, fault] % fault.every == 0]


async def wait_for(faults: Sequence[Fault]) -> None:
    """Wait as long as the slow ones say."""
    await asyncio.sleep(sum(fault.seconds for fault in faults if fault.kind == "slow"))


def refusal(faults: Sequence[Fault], api: ToolApi) -> Reply | None:
    """The answer in place of the handler's, None where the handler is to be asked."""
    for fault in faults:
        match fault.kind:
            case "rate_limit":
                limited = api.rate_limited
                return replace(limited, headers={**limited.headers, "Retry-After": str(ceil(fault.seconds))})
            case "server_error":
                return api.server_error
            case "unauthorised":
                return api.unauthorised
    return None


class CutResponse(Response):
    """Announces a whole body and breaks off after half of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Leave the response incomplete: the server then closes the connection."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
