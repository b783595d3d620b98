"""One list as a stream of the manifest, with what was decided about it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airbyte_kit.openapi import filters, keys, paging, words
from airbyte_kit.openapi.ancestry import Parent
from airbyte_kit.openapi.choosing import Choice
from airbyte_kit.openapi.document import Json
from airbyte_kit.openapi.filters import Filter
from airbyte_kit.openapi.guesses import guesses
from airbyte_kit.openapi.listings import Listing
from airbyte_kit.openapi.paginators import described, option, paginator
from airbyte_kit.openapi.schemas import stream_schema
from airbyte_kit.openapi.servers import Server
from airbyte_kit.openapi.shapes import Shapes

_DAY_ONE = "2015-01-01T00:00:00Z"


@dataclass
class Stream:
    """A stream, and what a person must look at."""

    name: str
    path: str
    component: Json
    schema: Json
    paginator: Json | None
    way: paging.Way
    paging: str
    key: list[str]
    filter: Filter | None
    parent: str | None
    asked: Mapping[str, str]
    """Fields of the configuration that its requests name, with what each is."""
    guesses: list[str] = field(default_factory=list)


def stream_of(shapes: Shapes, choice: Choice, names: Mapping[str, str], server: Server) -> Stream:
    """The stream; `names` has the stream of each list by its path."""
    listing = choice.listing
    signals = paging.signals_of(shapes, listing)
    way = paging.way_of(signals)
    key = keys.key_of(shapes, listing)
    if way == "last_record" and key is None:
        way = "none"
    found = filters.filter_of(shapes, listing)
    placed = placed_values(choice.ancestors)
    held = {name: keys.same_field(shapes, listing, name) for name, _ in placed}
    added = {_free(name, shapes.of(listing.item).properties): value for name, value in placed if not held[name]}
    sent, asked = _constants(choice)
    component: Json = {
        "type": "DeclarativeStream",
        "name": choice.name,
        **({"primary_key": [*added, *filter(None, held.values()), key]} if key else {}),
        "retriever": _retriever(choice, placed, names, sent),
        **({"incremental_sync": cursor(found)} if found else {}),
        **({"transformations": [_additions(added)]} if added else {}),
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {"$ref": f"#/schemas/{choice.name}"}},
        "$parameters": {"name": choice.name},
    }
    schema = stream_schema(shapes, listing.item)
    if added:
        schema["properties"] = {
            **{name: {"type": ["null", "string"]} for name in added},
            **schema.get("properties", {}),
        }
    return Stream(
        name=choice.name,
        path=listing.path,
        component=component,
        schema=schema,
        paginator=paginator(way, signals, key, server),
        way=way,
        paging=described(way, signals),
        key=component.get("primary_key", []),
        filter=found,
        parent=names[choice.parent.listing.path] if choice.parent else None,
        asked=asked,
        guesses=list(guesses(choice, key, found, signals, way)),
    )


def placed_values(ancestors: tuple[Parent, ...], place: str = "stream_partition") -> list[tuple[str, str]]:
    """Each path parameter that a parent gives, by its name in the records, with the expression of its value."""
    if not ancestors:
        return []
    above = placed_values(ancestors[1:], f"{place}['parent_slice']")
    name = own = ancestors[0].name
    while name in dict(above):
        name = f"parent_{name}"
    return [*above, (name, f"{place}['{own}']")]


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """A name that no field of the records has."""
    while name in taken:
        name = f"{name}_of_path"
    return name


def _path(listing: Listing, placed: list[tuple[str, str]]) -> str:
    """The path as a template; what is not placed by a parent is of the configuration."""
    outer = listing.placeholders[: len(listing.placeholders) - len(placed)]
    values = [*(f"config['{words.configured(each)}']" for each in outer), *(value for _, value in placed)]
    pieces = re.split(r"\{[^{}]*\}", listing.path)
    written = pieces[0]
    for value, piece in zip(values, pieces[1:], strict=True):
        written += f"{{{{ {value} | urlencode }}}}{piece}"
    return written


def _constants(choice: Choice) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """What every request must carry, and the fields of the configuration that say it or stand in the path."""
    sent: dict[str, dict[str, str]] = {"request_parameters": {}, "request_headers": {}}
    asked = {words.configured(name): f"Stands in {choice.listing.path} as {name}." for name in choice.asked}
    for each in choice.needed:
        place = sent["request_parameters" if each.location == "query" else "request_headers"]
        settled = each.settled
        if settled is not None and words.is_plain(str(settled)):
            place[each.name] = str(settled).lower() if isinstance(settled, bool) else str(settled)
        elif words.is_plain(each.name):
            place[each.name] = f"{{{{ config['{words.configured(each.name)}'] }}}}"
            asked[words.configured(each.name)] = f"{choice.listing.path} cannot do without {each.name}."
    return sent, asked


def _retriever(choice: Choice, placed: list[tuple[str, str]], names: Mapping[str, str], sent: Json) -> Json:
    requester = {"$ref": "#/definitions/requester", "path": _path(choice.listing, placed), **sent}
    written: Json = {
        "type": "SimpleRetriever",
        "requester": requester,
        "record_selector": {
            "type": "RecordSelector",
            "extractor": {"type": "DpathExtractor", "field_path": list(choice.listing.records)},
            # airbyte-cdk ends a read at a record without a field.
            "record_filter": {"type": "RecordFilter", "condition": "{{ record | length > 0 }}"},
        },
    }
    if choice.parent:
        config = {
            "type": "ParentStreamConfig",
            "stream": {"$ref": f"#/definitions/streams/{names[choice.parent.listing.path]}"},
            "parent_key": choice.parent.field,
            "partition_field": choice.parent.name,
        }
        written["partition_router"] = {"type": "SubstreamPartitionRouter", "parent_stream_configs": [config]}
    return written


def cursor(found: Filter) -> Json:
    """The filter as a cursor, which starts at `start_date`."""
    return {
        "type": "DatetimeBasedCursor",
        "cursor_field": found.field,
        "cursor_datetime_formats": list(found.read),
        "datetime_format": found.written,
        "start_datetime": {
            "type": "MinMaxDatetime",
            "datetime": f"{{{{ config.get('start_date') or '{_DAY_ONE}' }}}}",
            "datetime_format": "%Y-%m-%dT%H:%M:%SZ",
        },
        "start_time_option": option(found.parameter),
    }


def _additions(added: Mapping[str, str]) -> Json:
    fields = [
        {"type": "AddedFieldDefinition", "path": [name], "value": f"{{{{ {value} }}}}", "value_type": "string"}
        for name, value in added.items()
    ]
    return {"type": "AddFields", "fields": fields}
