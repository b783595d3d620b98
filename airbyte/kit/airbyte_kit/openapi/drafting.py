"""An OpenAPI document as a low-code manifest, with every decision that was a guess."""

from collections.abc import Sequence
from dataclasses import dataclass

from airbyte_kit.openapi import authenticators
from airbyte_kit.openapi.auth import Auth, auth_of
from airbyte_kit.openapi.choosing import Choices, choose
from airbyte_kit.openapi.document import Document, Json
from airbyte_kit.openapi.paginators import base_url
from airbyte_kit.openapi.servers import Server, server_of
from airbyte_kit.openapi.shapes import Shapes
from airbyte_kit.openapi.streams import Stream, stream_of

CDK = "6.0.0"


@dataclass(frozen=True)
class Draft:
    """A manifest and how it came about."""

    document: Document
    manifest: Json
    streams: Sequence[Stream]
    auth: Auth
    server: Server
    choices: Choices


def draft(document: Document, wanted: Sequence[str] = ()) -> Draft:
    """The manifest of the lists that are `wanted`, or of all that need nothing but credentials."""
    shapes = Shapes(document)
    choices = choose(shapes, wanted)
    auth = auth_of(document, [each.listing for each in choices.streams])
    server = server_of(document)
    names = {each.listing.path: each.name for each in choices.streams}
    streams = [stream_of(shapes, each, names, server) for each in choices.streams]
    manifest = {
        "version": CDK,
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": [streams[0].name]},
        "definitions": _definitions(streams, auth, server),
        "streams": [{"$ref": f"#/definitions/streams/{each.name}"} for each in streams],
        "schemas": {each.name: each.schema for each in streams},
        "spec": _spec(streams, auth, server),
    }
    return Draft(document, manifest, streams, auth, server, choices)


def _definitions(streams: Sequence[Stream], auth: Auth, server: Server) -> Json:
    paginators: dict[str, Json] = {}
    components: Json = {}
    more = authenticators.more_options(auth)
    for each in streams:
        component = each.component
        requester = component["retriever"]["requester"]
        for place, options in more.items():
            requester[place] = {**options, **requester[place]}
            if not requester[place]:
                del requester[place]
        if each.paginator:
            name = _named(paginators, each.paginator, each.way)
            component["retriever"]["paginator"] = {"$ref": f"#/definitions/paginators/{name}"}
        components[each.name] = component
    written: Json = {"requester": _requester(auth, server)}
    if paginators:
        written["paginators"] = paginators
    return {**written, "streams": components}


def _named(paginators: dict[str, Json], paginator: Json, way: str) -> str:
    """The paginator's name; streams that page alike share one."""
    for name, known in paginators.items():
        if known == paginator:
            return name
    used = sum(name.rstrip("0123456789_") == way for name in paginators)
    name = way if not used else f"{way}_{used + 1}"
    paginators[name] = paginator
    return name


def _requester(auth: Auth, server: Server) -> Json:
    signed = authenticators.authenticator(auth)
    return {
        "type": "HttpRequester",
        "url_base": f"{{{{ {base_url(server)} }}}}",
        "http_method": "GET",
        **({"authenticator": signed} if signed else {}),
        "error_handler": {
            "type": "DefaultErrorHandler",
            "max_retries": 6,
            "backoff_strategies": [
                {"type": "WaitTimeFromHeader", "header": "Retry-After", "max_waiting_time_in_seconds": 300},
                {"type": "ExponentialBackoffStrategy", "factor": 2},
            ],
            "response_filters": [
                _refusal(401, "The API refused the credentials; give some that are valid."),
                _refusal(
                    403,
                    "The credentials may not read {{ parameters['name'] }}; give them access, or leave the stream out.",
                ),
            ],
        },
    }


def _refusal(code: int, sentence: str) -> Json:
    return {
        "type": "HttpResponseFilter",
        "http_codes": [code],
        "action": "FAIL",
        "failure_type": "config_error",
        "error_message": sentence,
    }


def _spec(streams: Sequence[Stream], auth: Auth, server: Server) -> Json:
    properties: Json = {}
    required: list[str] = []
    for name, schema, is_required in authenticators.fields(auth):
        properties[name] = schema
        required += [name] if is_required else []
    for name, schema in server.fields.items():
        properties.setdefault(name, schema)
        required += [name] if "default" not in schema else []
    for each in streams:
        for name, why in each.asked.items():
            properties.setdefault(name, {"type": "string", "title": name, "description": why})
            required.append(name)
    if any(each.filter for each in streams):
        properties["start_date"] = {
            "type": "string",
            "title": "Start date",
            "description": "Nothing older is read where the API can tell; as 2024-01-31T00:00:00Z.",
            "format": "date-time",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
        }
    if any(each.paginator and "page_size_option" in each.paginator for each in streams):
        described = "Records to ask for at a time; never more than the API allows."
        properties["page_size"] = {"type": "integer", "title": "Page size", "description": described, "minimum": 1}
    address: Json = {"type": "string", "title": "Base URL", "description": "Where the API is."}
    if server.url and not server.fields:
        address["default"] = server.url.strip("'")
    properties["base_url"] = address
    required += [] if server.url else ["base_url"]
    for number, schema in enumerate(properties.values()):
        schema["order"] = number
    return {
        "type": "Spec",
        "connection_specification": {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "required": list(dict.fromkeys(required)),
            "additionalProperties": True,
            "properties": properties,
        },
    }
