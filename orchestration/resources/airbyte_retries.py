"""Which requests to an Airbyte may be sent twice, and how long to wait between."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx

from analysis.errors import RetryableError

ONCE = (("POST", "/jobs"), ("GET", "/streams"))
"""Never repeated here: who asks for a job finds out what became of it, and a discovery takes minutes."""

READING_POSTS = ("/applications/token", "/connections/get", "/jobs/get")
"""Sent by POST, and change nothing: the config API asks so."""


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


def _is_once(request: httpx.Request) -> bool:
    return any(request.method == method and request.url.path.endswith(path) for method, path in ONCE)


def _is_safe(request: httpx.Request) -> bool:
    if _is_once(request):
        return False
    return request.method == "GET" or request.url.path.endswith(READING_POSTS)


def _may_repeat(request: httpx.Request, response: httpx.Response) -> bool:
    is_told_when = "Retry-After" in response.headers
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:  # nothing was done yet
        return is_told_when or _is_safe(request)
    is_undone = is_told_when and not _is_once(request)
    return response.status_code >= 500 and (is_undone or _is_safe(request))


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
