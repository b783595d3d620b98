"""Which requests a stand-in answers: those that carry what the document's security schemes ask for."""

import base64
from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any

from airbyte_kit.openapi.auth import Credential, credentials_of, ways_of
from airbyte_kit.openapi.document import Document, Json
from airbyte_kit.openapi.listings import Listing

TOKEN_PATH = "/stand-in/token"  # noqa: S105 - an address
_KEY, _TOKEN, _ISSUED = "stand-in-key", "stand-in-token", "stand-in-issued"
_VALUES = {
    "access_token": _TOKEN,
    "username": "stand-in-user",
    "password": "stand-in-password",
    "client_id": "stand-in-client",
    "client_secret": "stand-in-client-secret",
}


class Guard:
    """Knows the right credentials of a document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._known = credentials_of(document)

    def admits(self, listing: Listing, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        """Whether one of the ways that the list offers is taken, whole."""
        ways = ways_of(listing.operation.get("security", self._document.content.get("security")))
        usable = [way for way in ways if all(name in self._known for name in way)]
        return not usable or any(all(_carries(self._known[name], headers, query) for name in way) for way in usable)

    def token(self, form: Mapping[str, str]) -> Json | None:
        """An access token for a client; None for another grant.

        A wrong client gets one that no list takes: what airbyte-cdk says of a refused client is not the draft's to say.
        """
        if form.get("grant_type") != "client_credentials":
            return None
        is_right = all(form.get(name) == _VALUES[name] for name in ("client_id", "client_secret"))
        return {"access_token": _ISSUED if is_right else "of-nobody", "token_type": "bearer", "expires_in": 3600}


def _carries(credential: Credential, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
    given = headers.get("authorization", "")
    match credential.kind:
        case "bearer":
            return given == f"Bearer {_TOKEN}"
        case "client_credentials":
            return given == f"Bearer {_ISSUED}"
        case "basic":
            pair = f"{_VALUES['username']}:{_VALUES['password']}"
            return given == f"Basic {base64.b64encode(pair.encode()).decode()}"
    if credential.location == "cookie":
        cookies = SimpleCookie(headers.get("cookie", ""))
        return credential.name in cookies and cookies[credential.name].value == _KEY
    place = query if credential.location == "query" else headers
    return place.get(credential.name if credential.location == "query" else credential.name.lower()) == _KEY


def configuration(manifest: Mapping[str, Any], url: str, path: str, page_size: int) -> Json:
    """What the manifest's specification asks for, right for the stand-in at this address."""
    specification = manifest.get("spec", {}).get("connection_specification", {})
    required = specification.get("required", [])
    found: Json = {}
    for name, schema in specification.get("properties", {}).items():
        if name in _VALUES or schema.get("airbyte_secret"):
            found[name] = _VALUES.get(name, _KEY)
        elif name in required:
            found[name] = (schema.get("enum") or [schema.get("default")])[0] or "stand-in"
    if "page_size" in specification.get("properties", {}):
        found["page_size"] = page_size
    if "token_url" in specification.get("properties", {}):
        found["token_url"] = url + TOKEN_PATH
    return {**found, "base_url": url + path}


def wrong(manifest: Mapping[str, Any], right: Json) -> Json | None:
    """The configuration with other secrets; None where there are none."""
    properties = manifest.get("spec", {}).get("connection_specification", {}).get("properties", {})
    secret = {name for name, schema in properties.items() if schema.get("airbyte_secret")}
    return {**right, **dict.fromkeys(secret & set(right), "wrong-secret")} if secret & set(right) else None
