"""Tokens: the client's id and secret for a bearer that expires."""

import hmac
from typing import Any
from urllib.parse import parse_qs

import orjson
from fastapi import APIRouter, Depends, Request

from airbyte_server.errors import PermanentError, RefusedError, UnauthorizedError
from airbyte_server.services import Services, ServicesDep

_SUBJECT = "airbyte_server token"

router = APIRouter(tags=["applications"])


@router.post("/applications/token")
async def create_token(request: Request, services: ServicesDep) -> dict[str, Any]:
    """A bearer token for a client id and secret, sent as JSON or as a form."""
    credentials = _credentials(request.headers.get("content-type", ""), await request.body())
    if services.settings.has_credentials and not _are_right(services, credentials):
        raise UnauthorizedError("The client id or the client secret is wrong.")
    token = services.box.seal({"subject": _SUBJECT, "client": services.settings.client_id})
    return {
        "access_token": token.decode(),
        "token_type": "Bearer",
        "expires_in": services.settings.token_lifetime_seconds,
    }


def require_token(request: Request, services: ServicesDep) -> None:
    """Refuse a request without a valid bearer, where the server has credentials."""
    if not services.settings.has_credentials:
        return
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise UnauthorizedError("A bearer token is needed; get one at applications/token.")
    try:
        claims = services.box.open(token.encode(), max_age_seconds=services.settings.token_lifetime_seconds)
    except PermanentError:
        raise UnauthorizedError("The token is wrong or has expired; get a new one at applications/token.") from None
    if claims != {"subject": _SUBJECT, "client": services.settings.client_id}:
        raise UnauthorizedError("The token is not for this server; get a new one at applications/token.")


TokenRequired = Depends(require_token)


def _credentials(content_type: str, body: bytes) -> dict[str, Any]:
    if content_type.startswith("application/x-www-form-urlencoded"):
        return {name: values[-1] for name, values in parse_qs(body.decode(errors="replace")).items()}
    try:
        credentials = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise RefusedError("Send client_id and client_secret as a JSON object or as a form.") from None
    return credentials if isinstance(credentials, dict) else {}


def _are_right(services: Services, credentials: dict[str, Any]) -> bool:
    secret = services.settings.client_secret
    expected = (services.settings.client_id or "", secret.get_secret_value() if secret else "")
    given = (str(credentials.get("client_id", "")), str(credentials.get("client_secret", "")))
    # Both are compared, so that the time taken tells nothing.
    return all([hmac.compare_digest(a.encode(), b.encode()) for a, b in zip(expected, given, strict=True)])
