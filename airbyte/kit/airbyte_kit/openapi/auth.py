"""How requests are signed: the security scheme that most lists take, as an authenticator and its fields."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from airbyte_kit.openapi import words
from airbyte_kit.openapi.document import Document, Json
from airbyte_kit.openapi.listings import Listing

Kind = Literal["none", "bearer", "api_key", "basic", "client_credentials"]


@dataclass(frozen=True)
class Credential:
    """One security scheme that can be used."""

    scheme: str
    kind: Kind
    location: str = ""
    """Of an API key: header, query or cookie."""
    name: str = ""
    """Of the header or parameter."""
    token_url: str = ""
    scopes: tuple[str, ...] = ()
    field: str = ""
    """The configuration's field of a key or token."""
    is_stand_in: bool = False
    """A token is asked for because the scheme itself needs a person to log in."""


@dataclass(frozen=True)
class Auth:
    """The credentials of a request, all of them together; none where the document names none."""

    credentials: tuple[Credential, ...] = ()
    others: tuple[str, ...] = ()
    """Other ways that the document offers."""
    unserved: tuple[str, ...] = field(default=())
    """Lists that do not take these."""


def auth_of(document: Document, chosen: Sequence[Listing]) -> Auth:
    """The way that most of these lists take, the simplest of equals."""
    known = credentials_of(document)
    counted: Counter[tuple[str, ...]] = Counter()
    takers: dict[tuple[str, ...], set[str]] = {}
    open_to_all: set[str] = set()
    for listing in chosen:
        ways = ways_of(listing.operation.get("security", document.content.get("security")))
        if not ways or () in ways:
            open_to_all.add(listing.path)
        for way in ways:
            if _is_usable([known.get(name) for name in way]):
                counted[way] += 1
                takers.setdefault(way, set()).add(listing.path)
    if not counted:
        return Auth()
    best = min(counted, key=lambda way: (-counted[way], len(way), max(_effort(known[name]) for name in way)))
    unserved = [each.path for each in chosen if each.path not in takers[best] | open_to_all]
    others = tuple(" + ".join(way) for way in counted if way != best)
    return Auth(_with_fields([known[name] for name in best]), others, tuple(unserved))


def credentials_of(document: Document) -> dict[str, Credential]:
    """The document's security schemes that can be used, by their names."""
    schemes = document.resolve(document.resolve(document.content.get("components")).get("securitySchemes"))
    return {name: found for name, each in schemes.items() if (found := _credential(name, document.resolve(each)))}


def ways_of(written: Any) -> list[tuple[str, ...]]:
    """The schemes of each way that a `security` offers."""
    return [tuple(each) for each in written if isinstance(each, Mapping)] if isinstance(written, list) else []


def _is_usable(way: Sequence[Credential | None]) -> bool:
    """Whether all are known, with at most one beside API keys: a request has one header Authorization."""
    return bool(way) and None not in way and sum(each is not None and each.kind != "api_key" for each in way) <= 1


def _credential(scheme: str, written: Json) -> Credential | None:
    kind, name = str(written.get("type")), written.get("name")
    if (
        kind == "apiKey"
        and isinstance(name, str)
        and words.is_plain(name)
        and written.get("in") in ("header", "query", "cookie")
    ):
        return Credential(scheme, "api_key", location=written["in"], name=name)
    if kind == "http":
        way = str(written.get("scheme")).lower()
        return (
            Credential(scheme, "bearer") if way == "bearer" else Credential(scheme, "basic") if way == "basic" else None
        )
    if kind == "oauth2":
        flows = written.get("flows")
        flow = flows.get("clientCredentials") if isinstance(flows, Mapping) else None
        url = flow.get("tokenUrl") if isinstance(flow, Mapping) else None
        if isinstance(url, str) and words.is_plain(url) and "'" not in url:
            scopes = flow.get("scopes") if isinstance(flow, Mapping) else None
            return Credential(
                scheme,
                "client_credentials",
                token_url=url,
                scopes=tuple(each for each in scopes if words.is_plain(each)) if isinstance(scopes, Mapping) else (),
            )
    return Credential(scheme, "bearer", is_stand_in=True) if kind in ("oauth2", "openIdConnect") else None


def _effort(credential: Credential) -> int:
    if credential.kind == "api_key":
        return 3 if credential.location != "header" else 1
    return 4 if credential.is_stand_in else {"bearer": 0, "basic": 2, "client_credentials": 3}[credential.kind]


def _with_fields(credentials: Sequence[Credential]) -> tuple[Credential, ...]:
    """Each with the name of its field; several keys are told apart by what the API calls them."""
    keys = [each for each in credentials if each.kind == "api_key"]
    named = []
    for each in sorted(credentials, key=lambda each: each.kind == "api_key"):
        own = words.snake(each.name) or words.snake(each.scheme)
        name = {"api_key": "api_key" if len(keys) == 1 else f"api_key_{own}", "bearer": "access_token"}.get(
            each.kind, ""
        )
        named.append(Credential(**{**each.__dict__, "field": name}))
    return tuple(named)
