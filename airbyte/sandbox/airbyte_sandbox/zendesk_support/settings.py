"""What an administrator has set up in the help desk before the first day: fields, forms, macros, brand, SLAs, hours."""

from datetime import UTC, datetime, timedelta

from airbyte_sandbox.schema import Record
from airbyte_sandbox.world import World
from airbyte_sandbox.zendesk_support import ids
from airbyte_sandbox.zendesk_support.ids import iso
from airbyte_sandbox.zendesk_support.metrics import CLOSES, OPENS

_AREAS = ("billing", "shipping", "account", "bug", "how_to")
_SYSTEM_FIELDS = ("subject", "description", "status", "tickettype", "priority", "group", "assignee")
_TITLES = {"tickettype": "Type"}
_OPTIONS = {
    "status": ("open", "pending", "solved"),
    "tickettype": ("question", "incident", "problem", "task"),
    "priority": ("low", "normal", "high", "urgent"),
}
_MACROS = (
    ("Customer not responding", (("status", "pending"), ("comment_value", "Is this still of interest?"))),
    ("Take it", (("assignee_id", "current_user"), ("status", "open"))),
    ("Refund approved", (("set_tags", "billing"), ("comment_value", "Your refund is on its way."))),
    ("Close and redirect", (("status", "solved"), ("comment_value", "Please see our guide."))),
)
_ROLES = (
    ("Advisor", "Can automate workflows and make private comments", 0),
    ("Staff", "Can edit tickets within their groups", 0),
    ("Team lead", "Can manage all tickets and forums", 0),
)


def opened_at(world: World) -> datetime:
    """When the help desk was set up."""
    return datetime(world.start.year - 2, 2, 3, 9, tzinfo=UTC)


def fields(world: World) -> list[Record]:
    """The fields of a ticket, an own one last."""
    system = [_field(world, place, kind) for place, kind in enumerate(_SYSTEM_FIELDS, start=1)]
    options = [
        {"id": ids.AREA_FIELD * 10 + place, "name": area.title().replace("_", " "), "value": area, "default": False}
        for place, area in enumerate(_AREAS)
    ]
    own = {**_field(world, 8, "tagger"), "id": ids.AREA_FIELD, "url": ids.url("ticket_fields", ids.AREA_FIELD)}
    named = dict.fromkeys(("title", "raw_title", "title_in_portal", "raw_title_in_portal"), "Product area")
    return [*system, {**own, **named, "removable": True, "custom_field_options": options}]


def forms(world: World) -> list[Record]:
    """The one form that there is."""
    names = dict.fromkeys(("name", "raw_name", "display_name", "raw_display_name"), "Default Ticket Form")
    return [
        {
            "id": ids.FORM,
            "url": ids.url("ticket_forms", ids.FORM),
            **names,
            "position": 1,
            "active": True,
            "default": True,
            "end_user_visible": True,
            "in_all_brands": True,
            "ticket_field_ids": [field["id"] for field in fields(world)],
            "restricted_brand_ids": [],
            "end_user_conditions": [],
            "agent_conditions": [],
            **_since(world),
        }
    ]


def macros(world: World) -> list[Record]:
    """What agents do with one click."""
    return [
        {
            "id": 360_011_363_000 + place,
            "url": ids.url("macros", 360_011_363_000 + place),
            "title": title,
            "raw_title": title,
            "description": None,
            "active": True,
            "default": False,
            "position": place + 1,
            "actions": [{"field": field, "value": value} for field, value in actions],
            "restriction": None,
            **_since(world, days=place),
        }
        for place, (title, actions) in enumerate(_MACROS)
    ]


def brands(world: World) -> list[Record]:
    """The one brand."""
    return [
        {
            "id": ids.BRAND,
            "url": ids.url("brands", ids.BRAND),
            "name": "Sandbox Labs",
            "brand_url": ids.HOST,
            "subdomain": ids.SUBDOMAIN,
            "host_mapping": None,
            "has_help_center": True,
            "help_center_state": "enabled",
            "active": True,
            "default": True,
            "is_deleted": False,
            "logo": None,
            "ticket_form_ids": [ids.FORM],
            "signature_template": "{{agent.signature}}",
            **_since(world),
        }
    ]


def sla_policies(world: World) -> list[Record]:
    """How fast an answer is promised."""
    number = 360_001_110_001
    metrics = [
        {"priority": priority, "metric": "first_reply_time", "target": minutes, "business_hours": True}
        for priority, minutes in (("urgent", 60), ("high", 240), ("normal", 480), ("low", 960))
    ]
    return [
        {
            "id": number,
            "url": ids.url("slas/policies", number),
            "title": "First reply",
            "description": "By priority, in business hours",
            "position": 1,
            "filter": {"all": [{"field": "brand_id", "operator": "is", "value": ids.BRAND}], "any": []},
            "policy_metrics": metrics,
            **_since(world),
        }
    ]


def schedules(world: World) -> list[Record]:
    """When the team answers; minutes count from the beginning of Sunday."""
    intervals = [{"start_time": day * 1440 + OPENS * 60, "end_time": day * 1440 + CLOSES * 60} for day in range(1, 6)]
    return [{"id": 4_567_312_249_001, "name": "Office", "time_zone": "UTC", "intervals": intervals, **_since(world)}]


def roles(world: World) -> list[Record]:
    """The roles beside the system's own."""
    return [
        {
            "id": 360_000_210_000 + place,
            "name": name,
            "description": description,
            "role_type": kind,
            "team_member_count": 0,
            "configuration": {"ticket_access": "all", "ticket_editing": name != "Advisor", "view_access": "full"},
            **_since(world),
        }
        for place, (name, description, kind) in enumerate(_ROLES)
    ]


def _field(world: World, place: int, kind: str) -> Record:
    number = 360_002_833_000 + place
    title = _TITLES.get(kind, kind.title())
    options = [{"name": value.title(), "value": value} for value in _OPTIONS.get(kind, ())]
    return {
        "id": number,
        "url": ids.url("ticket_fields", number),
        "type": kind,
        "title": title,
        "raw_title": title,
        "title_in_portal": title,
        "raw_title_in_portal": title,
        "description": "",
        "raw_description": "",
        "agent_description": None,
        "position": place,
        "active": True,
        "required": False,
        "required_in_portal": kind in ("subject", "description"),
        "visible_in_portal": kind in ("subject", "description"),
        "editable_in_portal": kind in ("subject", "description"),
        "collapsed_for_agents": False,
        "removable": False,
        "regexp_for_validation": None,
        "tag": None,
        "sub_type_id": 0 if kind in ("status", "priority") else None,
        **({"system_field_options": options} if options else {}),
        **_since(world),
    }


def _since(world: World, days: int = 0) -> Record:
    at = iso(opened_at(world) + timedelta(days=days))
    return {"created_at": at, "updated_at": at}
