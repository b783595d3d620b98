"""Tokens: the client's id and secret for a bearer that expires."""

import base64
import binascii
import hmac
import time
from typing import Annotated, Any
from urllib.parse import parse_qs

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from airbyte_server.errors import PermanentError, RefusedError, UnauthorizedError
from airbyte_server.services import Services, ServicesDep

_PURPOSE = "token"
_CREDENTIALS = {
    "type": "object",
    "properties": {"client_id": {"type": "string"}, "client_secret": {"type": "string"}},
    "required": ["client_id", "client_secret"],
}
_FORM = "application/x-www-form-urlencoded"

router = APIRouter(tags=["applications"])


@router.post(
    "/applications/token",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": _CREDENTIALS} for kind in ("application/json", _FORM)},
        }
    },
)
async def create_token(request: Request, services: ServicesDep) -> dict[str, Any]:
    """A bearer token for a client id and secret, sent as JSON or as a form."""
    credentials = _credentials(request.headers.get("content-type", ""), await request.body())
    if services.settings.has_credentials and not _are_right(services, credentials):
        raise UnauthorizedError("The client id or the client secret is wrong.")
    claims = {"client": services.settings.client_id, "issued_at": time.time()}
    return {
        "access_token": base64.urlsafe_b64encode(services.box.seal(claims, purpose=_PURPOSE)).decode(),
        "token_type": "Bearer",
        "expires_in": services.settings.token_lifetime_seconds,
    }


def require_token(
    services: ServicesDep,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
) -> None:
    """Refuse a request without a valid bearer, where the server has credentials."""
    if not services.settings.has_credentials:
        return
    if bearer is None or not bearer.credentials:
        raise UnauthorizedError("A bearer token is needed; get one at applications/token.")
    try:
        sealed = base64.b64decode(bearer.credentials.encode(), altchars=b"-_", validate=True)
        claims = services.box.open(sealed, purpose=_PURPOSE)
    except (PermanentError, ValueError, binascii.Error):
        raise UnauthorizedError("The token is wrong or has expired; get a new one at applications/token.") from None
    # A token of the first version, which knew no purpose, has no time either.
    age = time.time() - claims.get("issued_at", 0)
    if claims.get("client") != services.settings.client_id or not age <= services.settings.token_lifetime_seconds:
        raise UnauthorizedError("The token is wrong or has expired; get a new one at applications/token.")


TokenRequired = Depends(require_token)


def _credentials(content_type: str, body: bytes) -> dict[str, Any]:
    if content_type.lower().startswith(_FORM):
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
