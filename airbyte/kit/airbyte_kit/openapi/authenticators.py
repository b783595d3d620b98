"""Credentials as an authenticator, and as fields of the specification."""

from collections.abc import Iterator
from typing import Any

from airbyte_kit.openapi.auth import Auth, Credential
from airbyte_kit.openapi.document import Json


def authenticator(auth: Auth) -> Json | None:
    """How the requester signs; a second key goes among its headers or parameters (`more_options`)."""
    if not auth.credentials:
        return None
    first = auth.credentials[0]
    match first.kind:
        case "bearer":
            return {"type": "BearerAuthenticator", "api_token": f"{{{{ config['{first.field}'] }}}}"}
        case "basic":
            return {
                "type": "BasicHttpAuthenticator",
                "username": "{{ config['username'] }}",
                "password": "{{ config.get('password') or '' }}",
            }
        case "client_credentials":
            return _client_credentials(first)
    return {
        "type": "ApiKeyAuthenticator",
        "api_token": _key(first),
        "inject_into": {
            "type": "RequestOption",
            "inject_into": "request_parameter" if first.location == "query" else "header",
            "field_name": "Cookie" if first.location == "cookie" else first.name,
        },
    }


def more_options(auth: Auth) -> dict[str, dict[str, str]]:
    """Headers and parameters of the credentials after the first."""
    found: dict[str, dict[str, str]] = {"request_headers": {}, "request_parameters": {}}
    for each in auth.credentials[1:]:
        if each.kind == "bearer":
            found["request_headers"]["Authorization"] = f"Bearer {{{{ config['{each.field}'] }}}}"
        elif each.kind == "api_key":
            place = "request_parameters" if each.location == "query" else "request_headers"
            found[place]["Cookie" if each.location == "cookie" else each.name] = _key(each)
    return found


def fields(auth: Auth) -> Iterator[tuple[str, Json, bool]]:
    """Name, schema, and whether it is required, of each field that the credentials need."""
    for each in auth.credentials:
        match each.kind:
            case "bearer":
                title = "Access token" if each.is_stand_in else "Token"
                yield each.field, _secret(title, "Sent as a bearer token."), True
            case "api_key":
                place = {"query": "parameter", "header": "header", "cookie": "cookie"}[each.location]
                yield each.field, _secret("API key", f"Sent as the {place} {each.name}, as it is."), True
            case "basic":
                yield "username", _secret("User name", "With some APIs the key itself."), True
                yield "password", _secret("Password", "Empty where the user name is the key."), False
            case "client_credentials":
                yield "client_id", {"type": "string", "title": "Client id"}, True
                yield "client_secret", _secret("Client secret", "Exchanged for an access token."), True
                yield "token_url", _token_field(each), not each.token_url.startswith("http")


def _token_field(credential: Credential) -> Json:
    written: Json = {"type": "string", "title": "Token address", "description": "Where access tokens are given out."}
    return {**written, **({"default": credential.token_url} if credential.token_url.startswith("http") else {})}


def _client_credentials(credential: Credential) -> Json:
    address = f"config.get('token_url') or '{credential.token_url}'"
    written: dict[str, Any] = {
        "type": "OAuthAuthenticator",
        "grant_type": "client_credentials",
        "client_id": "{{ config['client_id'] }}",
        "client_secret": "{{ config['client_secret'] }}",
        "token_refresh_endpoint": f"{{{{ {address} }}}}",
        # Else a client that is refused counts as a fault of the connector.
        "refresh_token_error_status_codes": [400, 401, 403],
        "refresh_token_error_key": "error",
        "refresh_token_error_values": ["invalid_client", "invalid_grant", "unauthorized_client"],
    }
    return written


def _key(credential: Credential) -> str:
    value = f"{{{{ config['{credential.field}'] }}}}"
    return f"{credential.name}={value}" if credential.location == "cookie" else value


def _secret(title: str, description: str) -> Json:
    return {"type": "string", "title": title, "description": description, "airbyte_secret": True}
