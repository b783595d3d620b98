"""Which requests to an Airbyte may be sent twice, and how long to wait between."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx

from analysis.errors import RetryableError

ONCE = {"sluice_once": True}
"""Extension of a request that is never repeated here: its caller finds out what became of it."""


@dataclass(frozen=True)
class Patience:
    """How often and for how long a request is repeated; pauses double and are jittered."""

    attempts: int = 4
    pause_seconds: float = 0.5
    deadline_seconds: float = 60.0


class AnsweringTransport(httpx.HTTPTransport):
    """A transport that repeats what is safe; lost, slow and cut answers are Retryable sentences naming the Airbyte."""

    def __init__(self, patience: Patience) -> None:
        super().__init__(retries=2)
        self._patience = patience

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request, again where that is safe, until the deadline."""
        started = time.monotonic()
        for attempt in range(1, self._patience.attempts + 1):
            pause = self._patience.pause_seconds * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)  # noqa: S311
            try:
                response = self._send(request)
                if not _may_repeat(request, response):
                    return response
                pause = max(pause, _asked_pause(response))
                failure = None
            except RetryableError as error:
                if not _is_safe(request) or isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout):
                    raise
                response, failure = None, error
            is_over = time.monotonic() + pause - started > self._patience.deadline_seconds
            if attempt == self._patience.attempts or is_over:
                break
            time.sleep(pause)
        if failure is not None or response is None:
            raise failure or AssertionError("a patience of no attempts")
        return response

    def _send(self, request: httpx.Request) -> httpx.Response:
        address = f"{request.url.scheme}://{request.url.netloc.decode()}"
        try:
            response = super().handle_request(request)
            response.read()
            if response.is_success and response.content:
                json.loads(response.content)
        except httpx.TransportError as error:
            raise RetryableError(
                f"Airbyte at {address} does not answer; check `sluice status`.", cause=type(error).__name__
            ) from error
        except (ValueError, httpx.DecodingError):
            raise RetryableError(
                f"Airbyte at {address} sent an answer that is cut or no JSON; try again.", path=request.url.path
            ) from None
        return response


def _is_safe(request: httpx.Request) -> bool:
    if request.extensions.get("sluice_once"):
        return False
    return request.method == "GET" or request.url.path.endswith("/applications/token")


def _may_repeat(request: httpx.Request, response: httpx.Response) -> bool:
    if request.extensions.get("sluice_once"):
        return False
    passes = response.status_code in (408, 429) or response.status_code >= 500
    return passes and (_is_safe(request) or (response.status_code != 408 and "Retry-After" in response.headers))


def _asked_pause(response: httpx.Response) -> float:
    text: str = response.headers.get("Retry-After", "0")
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return 0.0
