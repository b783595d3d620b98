"""HTTP to an Airbyte: bearer tokens kept fresh, and every failure as a Permanent or Retryable sentence."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Generator, Iterator

import httpx

from analysis.errors import PermanentError, RetryableError
from orchestration.resources.airbyte_retries import AnsweringTransport, Patience

TOKEN_SECONDS = 150
"""Airbyte's tokens live for three minutes in the open-source edition; renew before that."""
SECRETIVE = re.compile(r"secret|password|passphrase|token|key|credential", re.IGNORECASE)


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
            self._keep((yield self._token_request(request)))
        request.headers["Authorization"] = f"Bearer {self._token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._keep((yield self._token_request(request)))
            request.headers["Authorization"] = f"Bearer {self._token}"
            response = yield request
            if response.status_code == httpx.codes.UNAUTHORIZED:
                raise PermanentError(
                    "Airbyte refused a new token; see that the application may do this.", path=request.url.path
                )

    def _token_request(self, request: httpx.Request) -> httpx.Request:
        body = {**self._credentials, "grant_type": "client_credentials"}
        extensions = {"timeout": request.extensions["timeout"]}
        return httpx.Request("POST", self._token_url, json=body, extensions=extensions)

    def _keep(self, response: httpx.Response) -> None:
        if response.status_code != httpx.codes.OK:
            raise PermanentError(
                "Airbyte refused the client id and secret; set SLUICE_AIRBYTE_CLIENT_ID and …_SECRET.",
                status=response.status_code,
            )
        body = response.json()
        if not isinstance(body, dict) or not isinstance(body.get("access_token"), str):
            raise RetryableError("Airbyte answered a login without a token; try again.")
        with self._lock:
            self._token = body["access_token"]
            self._renew_at = time.monotonic() + TOKEN_SECONDS


def open_client(
    base_url: str, client_id: str, client_secret: str, timeout: float = 120.0, patience: Patience | None = None
) -> httpx.Client:
    """A client whose 4xx answers are PermanentError and whose 408, 429, 5xx and lost connections are RetryableError."""
    auth = BearerToken(f"{base_url}/applications/token", client_id, client_secret)

    def refuse(response: httpx.Response) -> None:
        _raise_for_refusal(response, client_secret)

    return httpx.Client(
        base_url=base_url,
        auth=auth,
        transport=AnsweringTransport(patience or Patience()),
        event_hooks={"response": [refuse]},
        timeout=timeout,
    )


def _raise_for_refusal(response: httpx.Response, client_secret: str) -> None:
    if response.has_redirect_location:
        raise PermanentError(
            "Airbyte answers from another address; set SLUICE_AIRBYTE_URL to it.",
            asked=str(response.request.url.copy_with(query=None)),
            told=response.headers["Location"].partition("?")[0],
        )
    if response.status_code < 400 or response.status_code == httpx.codes.UNAUTHORIZED:
        return
    response.read()
    request = response.request
    reason = _reason(response)
    for secret in (client_secret, request.headers.get("Authorization", "").removeprefix("Bearer "), *_secrets(request)):
        reason = reason.replace(secret, "***") if secret else reason
    kind = RetryableError if response.status_code in (408, 429) or response.status_code >= 500 else PermanentError
    raise kind(
        f"Airbyte answered {response.status_code}: {reason}",
        method=request.method,
        path=request.url.path,
        status=response.status_code,
    )


def _secrets(request: httpx.Request) -> list[str]:
    try:
        body = json.loads(request.content)
    except (ValueError, httpx.RequestNotRead):
        return []
    return sorted(_named_secretly(body, False), key=len, reverse=True)


def _named_secretly(value: object, is_secret: bool) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _named_secretly(each, is_secret or SECRETIVE.search(name) is not None)
    elif isinstance(value, list):
        for each in value:
            yield from _named_secretly(each, is_secret)
    elif is_secret and isinstance(value, str) and value:
        yield value


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
