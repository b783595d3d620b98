"""HTTP to an Airbyte: bearer tokens kept fresh, and every failure as a Permanent or Retryable sentence."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator

import httpx

from analysis.errors import PermanentError, RetryableError

TOKEN_SECONDS = 150
"""Airbyte's tokens live for three minutes in the open-source edition; renew before that."""


class BearerToken(httpx.Auth):
    """Asks `/applications/token` for a token, renews it in time and once more on a 401."""

    requires_response_body = True

    def __init__(self, token_url: str, client_id: str, client_secret: str) -> None:
        self._token_url = token_url
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._token: str | None = None
        self._renew_at = 0.0
        self._lock = threading.Lock()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """One request, preceded by a token request where the token is missing, old or refused."""
        if self._token is None or time.monotonic() > self._renew_at:
            self._keep((yield self._token_request()))
        request.headers["Authorization"] = f"Bearer {self._token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._keep((yield self._token_request()))
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request

    def _token_request(self) -> httpx.Request:
        return httpx.Request("POST", self._token_url, json={**self._credentials, "grant_type": "client_credentials"})

    def _keep(self, response: httpx.Response) -> None:
        if response.status_code != httpx.codes.OK:
            raise PermanentError(
                "Airbyte refused the client id and secret; set SLUICE_AIRBYTE_CLIENT_ID and …_SECRET.",
                status=response.status_code,
            )
        with self._lock:
            self._token = response.json()["access_token"]
            self._renew_at = time.monotonic() + TOKEN_SECONDS


class AnsweringTransport(httpx.HTTPTransport):
    """A transport whose lost connections are Retryable sentences that name the Airbyte."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; a transport error names the address."""
        try:
            return super().handle_request(request)
        except httpx.TransportError as error:
            address = f"{request.url.scheme}://{request.url.netloc.decode()}"
            raise RetryableError(
                f"Airbyte at {address} does not answer; check `sluice status`.", cause=type(error).__name__
            ) from error


def open_client(base_url: str, client_id: str, client_secret: str, timeout: float = 120.0) -> httpx.Client:
    """A client whose 4xx answers are PermanentError and whose 429, 5xx and lost connections are RetryableError."""
    return httpx.Client(
        base_url=base_url,
        auth=BearerToken(f"{base_url}/applications/token", client_id, client_secret),
        transport=AnsweringTransport(retries=2),
        event_hooks={"response": [_raise_for_refusal]},
        timeout=timeout,
    )


def _raise_for_refusal(response: httpx.Response) -> None:
    if response.status_code < 400 or response.status_code == httpx.codes.UNAUTHORIZED:
        return
    response.read()
    sentence = f"Airbyte answered {response.status_code}: {_reason(response)}"
    kind = RetryableError if response.status_code == 429 or response.status_code >= 500 else PermanentError
    raise kind(sentence, method=response.request.method, path=response.request.url.path, status=response.status_code)


def _reason(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return response.reason_phrase
    if isinstance(body, dict):
        for name in ("detail", "message", "title", "error"):
            if isinstance(body.get(name), str):
                return str(body[name])
    return response.reason_phrase
