"""Refuses request bodies that are larger than the server cares to hold in memory."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airbyte_server.api.problems import problem

_MIB = 1 << 20
_TOO_LARGE = 413


class BodyLimit:
    """Answers 413 to a body of more than so many MiB, at once where its length is announced."""

    def __init__(self, app: ASGIApp, *, mib: int) -> None:
        self._app = app
        self._most = mib * _MIB
        self._sentence = (
            f"The body is larger than {mib} MiB; send less, or raise AIRBYTE_SERVER_LONGEST_BODY_MIB of the server."
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._is_announced_too_large(scope):
            await problem(_TOO_LARGE, "content-too-large", self._sentence)(scope, receive, send)
        else:
            await self._app(scope, self._bounded(receive), send)

    def _is_announced_too_large(self, scope: Scope) -> bool:
        length = dict(scope["headers"]).get(b"content-length", b"")
        return length.isdigit() and int(length) > self._most

    def _bounded(self, receive: Receive) -> Receive:
        read = 0

        async def receive_within() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._most:
                raise HTTPException(_TOO_LARGE, self._sentence)
            return message

        return receive_within
