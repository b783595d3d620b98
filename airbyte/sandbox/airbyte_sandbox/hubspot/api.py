"""The CRM over HTTP, as HubSpot's public API answers."""

from collections.abc import Callable, Sequence

from airbyte_sandbox.hubspot import refusals, settings
from airbyte_sandbox.hubspot.campaigns import campaigns
from airbyte_sandbox.hubspot.objects import TOOL, list_objects, list_properties, one_object
from airbyte_sandbox.hubspot.paging import page_of, whole_number
from airbyte_sandbox.hubspot.search import search
from airbyte_sandbox.schema import Record
from airbyte_sandbox.server.api import ApiError, Call, Handler, Reply, ToolApi
from airbyte_sandbox.server.credentials import bearer
from airbyte_sandbox.world import World


def configuration(base_url: str, key: str) -> dict[str, object]:
    """The connector's configuration, with the token of a private app."""
    credentials = {"credentials_title": "Private App Credentials", "access_token": key}
    return {"credentials": credentials, "base_url": base_url}


def _paged(stream: str, records: Callable[[Call], Sequence[Record]], default: int, most: int) -> Handler:
    def handler(call: Call) -> Reply:
        found = records(call)
        page, paging = page_of(call, found, range(len(found)), default, most)
        return Reply(200, {"results": call.account.drifted(TOOL, stream, page), **paging})

    return handler


def _owners(call: Call) -> list[Record]:
    email, archived = call.one("email"), call.one("archived") == "true"
    return [] if archived else [one for one in settings.owners(call.account.world) if email in (None, one["email"])]


def _forms(call: Call) -> list[Record]:
    types, archived = call.query.get("formTypes", []), call.one("archived") == "true"
    found = [] if archived else settings.forms(call.account.world)
    return [one for one in found if not types or one["formType"] in ",".join(types).split(",")]


def _pipelines(world: World, kind: str) -> list[Record]:
    if kind == "deals":
        return [settings.pipeline(world, "default", "Sales pipeline", settings.deal_stages())]
    return [settings.pipeline(world, "0", "Support pipeline", settings.ticket_stages())]


def _list_pipelines(call: Call) -> Reply:
    kind = call.path_parameters["object_type"]
    if kind not in ("deals", "tickets"):
        raise refusals.invalid(f"Unable to infer object type from: {kind}")
    stream = "deal_pipelines" if kind == "deals" else "ticket_pipelines"
    return Reply(200, {"results": call.account.drifted(TOOL, stream, _pipelines(call.account.world, kind))})


def _older_pipelines(call: Call) -> Reply:
    found = settings.older_pipeline(call.account.world, "default", "Sales pipeline", settings.deal_stages())
    return Reply(200, {"results": call.account.drifted(TOOL, "deal_pipelines", [found])})


def _list_campaigns(call: Call) -> Reply:
    """Ids and the moment of the last change alone, by `limit` and an opaque `offset`."""
    found, limit = campaigns(call.account.world), min(whole_number(call, "limit", 500) or 500, 1000)
    # The id to go on with: it stays the same when a further campaign is sent in between.
    offset = whole_number(call, "offset", found[0]["id"] if found else 0)
    rest = [one for one in found if one["id"] <= offset]
    shown = [{name: one[name] for name in ("id", "lastUpdatedTime", "appId", "appName")} for one in rest[:limit]]
    following = str(rest[limit]["id"]) if len(rest) > limit else None
    return Reply(200, {"hasMore": following is not None, "offset": following, "campaigns": shown})


def _one_campaign(call: Call) -> Reply:
    for one in campaigns(call.account.world):
        if str(one["id"]) == call.path_parameters["campaign_id"]:
            whole = {name: value for name, value in one.items() if name != "lastUpdatedTime"}
            return Reply(200, call.account.drifted(TOOL, "campaigns", [whole])[0])
    raise ApiError(refusals.NOT_FOUND)


API = ToolApi(
    name=TOOL,
    routes={
        "GET /crm/v3/objects/{object_type}": list_objects,
        "GET /crm/v3/objects/{object_type}/{object_id}": one_object,
        "POST /crm/v3/objects/{object_type}/search": search,
        "GET /crm/v3/properties/{object_type}": list_properties,
        "GET /crm/v3/owners": _paged("owners", _owners, 100, 500),
        "GET /crm/v3/owners/": _paged("owners", _owners, 100, 500),
        "GET /crm/v3/pipelines/{object_type}": _list_pipelines,
        "GET /crm-pipelines/v1/pipelines/deals": _older_pipelines,
        "GET /marketing/v3/forms": _paged("forms", _forms, 20, 500),
        "GET /marketing/v3/forms/": _paged("forms", _forms, 20, 500),
        "GET /email/public/v1/campaigns": _list_campaigns,
        "GET /email/public/v1/campaigns/{campaign_id}": _one_campaign,
    },
    credential=bearer,
    configuration=configuration,
    # Founders came up to 401 days before the first day, and the CRM was set up before them.
    start=lambda first_day: {"start_date": f"{first_day.year - 2}-01-01T00:00:00Z"},
    key_prefix="pat-na1-",
    unauthorised=refusals.UNAUTHORISED,
    rate_limited=refusals.RATE_LIMITED,
    server_error=refusals.SERVER_ERROR,
    not_found=refusals.UNKNOWN_PATH,
)
