"""Google's token endpoint: an access token for a refresh token, or for a service account's signed assertion.

The sandbox keeps no tokens: an account's key is its refresh token, the access token is the same under another prefix,
and the `private_key_id` of a service account's key file is it too. Whoever signs an assertion is not checked.
"""

import base64
import binascii
import json
import time
from collections.abc import Mapping
from typing import Any

from airbyte_sandbox.server.api import PublicCall, Reply
from airbyte_sandbox.server.credentials import bearer

KEY_PREFIX = "1//0g"
CLIENT_ID, CLIENT_SECRET = "sandbox.apps.googleusercontent.com", "GOCSPX-sandbox"
_ACCESS_PREFIX = "ya29."
_SCOPES = frozenset(f"https://www.googleapis.com/auth/analytics{rest}" for rest in ("", ".readonly"))
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LONGEST_SECONDS, _SKEW_SECONDS = 3600, 300


def credential(headers: Mapping[str, str], path: str) -> str | None:
    """The account's key, of the access token that was made of it."""
    token = bearer(headers, path)
    return KEY_PREFIX + token.removeprefix(_ACCESS_PREFIX) if token and token.startswith(_ACCESS_PREFIX) else None


def access_token(key: str) -> str:
    """The access token of an account's key."""
    return _ACCESS_PREFIX + key.removeprefix(KEY_PREFIX)


def give_token(call: PublicCall) -> Reply:
    """POST /token; takes a form, as OAuth has it, and JSON, as Google does too."""
    asked = call.body if isinstance(call.body, dict) else {}
    match asked.get("grant_type"):
        case "refresh_token":
            return _refreshed(asked)
        case grant if grant == _JWT_GRANT:
            return _asserted(str(asked.get("assertion") or ""))
    return _refused("unsupported_grant_type", f"Invalid grant_type: {asked.get('grant_type') or ''}")


def _refreshed(asked: Mapping[str, Any]) -> Reply:
    if (asked.get("client_id"), asked.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
        return _refused("invalid_client", "The OAuth client was not found.", 401)
    key = str(asked.get("refresh_token") or "")
    if not key.startswith(KEY_PREFIX):
        return _refused("invalid_grant", "Token has been expired or revoked.")
    return _granted(access_token(key))


def _asserted(assertion: str) -> Reply:
    try:
        header, claims = (_part(part) for part in assertion.split(".")[:2])
    except (ValueError, binascii.Error):
        return _refused("invalid_grant", "Invalid JWT: it has no readable header and claims.")
    now = time.time()
    begin, end = (_seconds(claims.get(name)) for name in ("iat", "exp"))
    if header.get("alg") != "RS256" or not header.get("kid") or not claims.get("iss"):
        return _refused("invalid_grant", "Invalid JWT Signature.")
    if not now - _LONGEST_SECONDS <= begin <= now + _SKEW_SECONDS or not now < end <= begin + _LONGEST_SECONDS:
        return _refused("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes).")
    if not str(claims.get("aud") or "").endswith("/token"):
        return _refused("invalid_grant", "Invalid JWT: Failed audience check.")
    if not _SCOPES & set(str(claims.get("scope") or "").split()):
        return _refused("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
    return _granted(access_token(str(header["kid"])))


def _part(encoded: str) -> dict[str, Any]:
    found = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    if not isinstance(found, dict):
        raise ValueError("A part of a JWT is an object.")
    return found


def _seconds(given: Any) -> float:
    return float(given) if isinstance(given, int | float) else 0.0


def _granted(token: str) -> Reply:
    scope = "https://www.googleapis.com/auth/analytics.readonly"
    return Reply(200, {"access_token": token, "expires_in": 3599, "scope": scope, "token_type": "Bearer"})


def _refused(error: str, description: str, status: int = 400) -> Reply:
    return Reply(status, {"error": error, "error_description": description})
