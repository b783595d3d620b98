"""The CRM objects over HTTP: lists, single ones, and the properties that they have."""

from collections.abc import Iterable, Mapping, Sequence

from airbyte_sandbox.hubspot.definitions import (
    TYPES,
    answered_always,
    answered_without_asking,
    definition,
    types_of,
)
from airbyte_sandbox.hubspot.paging import listed, page_of
from airbyte_sandbox.hubspot.portal import Portal, portal
from airbyte_sandbox.hubspot.refusals import NOT_FOUND, invalid, missing_scope
from airbyte_sandbox.hubspot.values import CrmObject
from airbyte_sandbox.schema import Record
from airbyte_sandbox.server.api import ApiError, Call, Reply

TOOL = "hubspot"
_MOST, _DEFAULT = 100, 10
# What the private app of the sandbox may not read.
_WITHOUT_SCOPE = ("quotes", "feedback_submissions", "leads")
_SINGULAR = {"companies": "company", "meetings": "meeting_event"}


def kind_of(call: Call) -> str:
    """The type of object in the path; an unknown one is refused, and so is one without scope."""
    kind = call.path_parameters["object_type"]
    if kind in _WITHOUT_SCOPE:
        raise missing_scope(f"crm.objects.{kind}.read")
    if kind not in TYPES:
        raise invalid(f"Unable to infer object type from: {kind}")
    return kind


def stream_of(kind: str) -> str:
    """The connector's stream of a type."""
    return f"engagements_{kind}" if kind in ("calls", "emails", "meetings", "notes", "tasks") else kind


def list_objects(call: Call) -> Reply:
    """`GET /crm/v3/objects/{type}`."""
    kind, found = kind_of(call), portal(call.account.world)
    archived = (call.one("archived") or "false").lower() == "true"
    objects = [each for each in found.objects[kind] if (each.archived_at is not None) == archived]
    page, paging = page_of(call, objects, [int(each.id) for each in objects], _DEFAULT, _MOST)
    return Reply(200, {"results": shown(call, found, kind, page), **paging})


def one_object(call: Call) -> Reply:
    """`GET /crm/v3/objects/{type}/{id}`."""
    kind, found = kind_of(call), portal(call.account.world)
    one = found.live(kind).get(call.path_parameters["object_id"])
    if one is None:
        raise ApiError(NOT_FOUND)
    return Reply(200, shown(call, found, kind, [one])[0])


def list_properties(call: Call) -> Reply:
    """`GET /crm/v3/properties/{type}`; a drift of the records' properties shows here too."""
    kind = kind_of(call)
    named: Record = {"properties": dict.fromkeys(types_of(kind), "")}
    names = call.account.drifted(TOOL, stream_of(kind), [named])[0]["properties"]
    return Reply(200, {"results": [definition(kind, name) for name in names]})


def shown(call: Call, found: Portal, kind: str, page: Sequence[CrmObject], asked: Sequence[str] = ()) -> list[Record]:
    """Objects with the properties and associations that are asked for, drifted."""
    records = call.account.drifted(TOOL, stream_of(kind), [each.as_json() for each in page])
    wanted = _wanted(kind, asked or listed(call, "properties"), records)
    associated = [_associated_type(name) for name in listed(call, "associations")]
    return [
        {**record, **_properties(record, wanted), **_associations(found, kind, each.id, associated)}
        for record, each in zip(records, page, strict=True)
    ]


def _wanted(kind: str, asked: Sequence[str], records: Sequence[Record]) -> list[str]:
    """Unknown names are passed over, as the API does."""
    if not asked:
        return list(answered_without_asking(kind))
    known = {*types_of(kind), *(name for record in records for name in record.get("properties") or {})}
    return sorted({*answered_always(kind), *(name for name in asked if name in known)})


def _properties(record: Record, wanted: Iterable[str]) -> Record:
    has: Mapping[str, object] | None = record.get("properties")
    return {"properties": {name: has.get(name) for name in wanted}} if isinstance(has, dict) else {}


def _associated_type(name: str) -> str:
    known = {**{kind: kind for kind in TYPES}, "line items": "line_items"}
    if name not in known:
        raise invalid(f"Unable to infer object type from: {name}")
    return known[name]


def _associations(found: Portal, kind: str, number: str, types: Sequence[str]) -> Record:
    associations: Record = {}
    for other in types:
        ids = found.links.get((kind, other), {}).get(number, [])
        if ids:
            results = [{"id": each, "type": label} for each in ids for label in _labels(kind, other)]
            associations[other.replace("_", " ")] = {"results": results}
    return {"associations": associations} if associations else {}


def _labels(kind: str, other: str) -> list[str]:
    """A company is the primary one, which is answered beside the association without a label."""
    one, two = (_SINGULAR.get(each, each.removesuffix("s")) for each in (kind, other))
    label = f"{one}_to_{two}"
    return [label, f"{label}_unlabeled"] if "companies" in (kind, other) else [label]
