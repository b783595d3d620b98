"""What an administrator has set up in the CRM before the first day: owners, pipelines and forms."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from airbyte_sandbox.hubspot.deals import LOST, OPEN_STAGES, WON
from airbyte_sandbox.hubspot.values import iso, milliseconds
from airbyte_sandbox.schema import Record
from airbyte_sandbox.team import TEAM, Colleague
from airbyte_sandbox.world import World

TICKET_STAGES = {"new": "1", "pending": "2", "open": "3", "solved": "4", "closed": "4"}
"""The stage of a case by its status."""
_DEAL_LABELS = {
    "appointmentscheduled": ("Appointment scheduled", "0.2"),
    "qualifiedtobuy": ("Qualified to buy", "0.4"),
    "presentationscheduled": ("Presentation scheduled", "0.6"),
    "decisionmakerboughtin": ("Decision maker bought-in", "0.8"),
    "contractsent": ("Contract sent", "0.9"),
    WON: ("Closed won", "1.0"),
    LOST: ("Closed lost", "0.0"),
}
_TICKET_LABELS = ("New", "Waiting on contact", "Waiting on us", "Closed")
_FORMS = (
    ("Newsletter", ("email",)),
    ("Talk to sales", ("firstname", "lastname", "email", "company")),
    ("Ask support", ("email", "TICKET.subject", "TICKET.content")),
)


def owner_id(colleague: Colleague) -> str:
    """By which objects name their owner."""
    return str(52_550_100 + colleague.number)


def user_id(colleague: Colleague) -> int:
    """By which the CRM knows one of the team."""
    return 12_282_500 + colleague.number


def opened_at(world: World) -> datetime:
    """When the CRM was set up."""
    return datetime(world.start.year - 2, 1, 20, 9, tzinfo=UTC)


def owners(world: World) -> list[Record]:
    """The team; those who sell own contacts."""
    at = iso(opened_at(world))
    return [
        {
            "id": owner_id(colleague),
            "email": colleague.email,
            "type": "PERSON",
            "firstName": colleague.first_name,
            "lastName": colleague.last_name,
            "userId": user_id(colleague),
            "createdAt": at,
            "updatedAt": at,
            "archived": False,
            "teams": [{"id": "178", "name": colleague.job, "primary": True}],
        }
        for colleague in TEAM
    ]


def probability(stage: str) -> str:
    """How probable a stage makes it that a deal is won."""
    return _DEAL_LABELS[stage][1]


def deal_stages() -> list[tuple[str, str, Record]]:
    """Id, label and metadata of each stage of a deal, in order."""
    return [
        (
            stage,
            _DEAL_LABELS[stage][0],
            {"isClosed": str(stage in (WON, LOST)).lower(), "probability": probability(stage)},
        )
        for stage in (*OPEN_STAGES, WON, LOST)
    ]


def ticket_stages() -> list[tuple[str, str, Record]]:
    """Id, label and metadata of each stage of a ticket, in order."""
    return [
        (str(place), label, {"ticketState": "CLOSED" if label == "Closed" else "OPEN"})
        for place, label in enumerate(_TICKET_LABELS, start=1)
    ]


def pipeline(world: World, number: str, label: str, stages: list[tuple[str, str, Record]]) -> Record:
    """A pipeline with its stages, in the form of the third version of the API."""
    at = iso(opened_at(world))
    about = {"archived": False, "createdAt": at, "updatedAt": at}
    shown = [
        {"id": stage, "label": name, "displayOrder": place, "metadata": metadata, **about}
        for place, (stage, name, metadata) in enumerate(stages)
    ]
    return {"id": number, "label": label, "displayOrder": 0, "stages": shown, **about}


def older_pipeline(world: World, number: str, label: str, stages: list[tuple[str, str, Record]]) -> Record:
    """The same in the form of the first version."""
    at = milliseconds(opened_at(world))
    about = {"active": True, "createdAt": at, "updatedAt": at}
    shown = [
        {"stageId": stage, "label": name, "displayOrder": place, "metadata": metadata, **about}
        for place, (stage, name, metadata) in enumerate(stages)
    ]
    kind = {"objectType": "DEAL", "objectTypeId": "0-3", "default": True}
    return {"pipelineId": number, "label": label, "displayOrder": 0, "stages": shown, **about, **kind}


def forms(world: World) -> list[Record]:
    """The forms of the web site."""
    return [
        _form(world, place, name, wanted, opened_at(world) + timedelta(days=place))
        for place, (name, wanted) in enumerate(_FORMS)
    ]


def _form(world: World, place: int, name: str, wanted: tuple[str, ...], at: datetime) -> Record:
    return {
        "id": str(UUID(int=world.dice("form", place).getrandbits(128), version=4)),
        "name": name,
        "formType": "hubspot",
        "createdAt": iso(at),
        "updatedAt": iso(at),
        "archived": False,
        "fieldGroups": [
            {"groupType": "default_group", "richTextType": "text", "fields": [_form_field(field)]} for field in wanted
        ],
        "configuration": {
            "language": "en",
            "cloneable": True,
            "editable": True,
            "archivable": True,
            "recaptchaEnabled": False,
            "notifyContactOwner": False,
            "createNewContactForNewEmail": False,
            "prePopulateKnownValues": True,
            "postSubmitAction": {"type": "thank_you", "value": "Thank you."},
        },
        "displayOptions": {"theme": "default_style", "submitButtonText": "Submit", "renderRawHtml": False},
        "legalConsentOptions": {"type": "none"},
    }


def _form_field(name: str) -> Record:
    return {
        "objectTypeId": "0-5" if name.startswith("TICKET.") else "0-1",
        "name": name.removeprefix("TICKET."),
        "label": name.removeprefix("TICKET.").title(),
        "required": name == "email",
        "hidden": False,
        "fieldType": "email" if name == "email" else "single_line_text",
    }
