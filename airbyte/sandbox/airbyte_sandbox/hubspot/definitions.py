"""The properties that each type of object has in the account, as `/crm/v3/properties` names them."""

from collections.abc import Iterator

from airbyte_sandbox.schema import Record

_FIELD_TYPES = {
    "string": "text",
    "number": "number",
    "datetime": "date",
    "enumeration": "select",
    "bool": "booleancheckbox",
}
_OWN = ("favourite_channel",)
"""Those that the account has added itself."""
_OWNED = {"string": "hubspot_owner_id", "datetime": "hubspot_owner_assigneddate"}
_ENGAGEMENT = {
    "string": "hs_all_owner_ids hs_body_preview hs_engagement_source hs_gdpr_deleted",
    "number": "hs_object_id hs_created_by hs_created_by_user_id hs_modified_by hs_updated_by_user_id",
    "datetime": "hs_timestamp hs_createdate hs_lastmodifieddate",
}
_SOLD_TO = {
    "number": "num_associated_deals recent_deal_amount total_revenue days_to_close num_notes num_contacted_notes",
    "datetime": "first_deal_created_date recent_deal_close_date closedate notes_last_contacted notes_last_updated",
}
_TYPES: dict[str, tuple[dict[str, str], ...]] = {
    "contacts": (
        {
            "string": "email firstname lastname phone jobtitle company website city country "
            "hs_language hs_email_domain",
            "number": "hs_object_id associatedcompanyid",
            "datetime": "createdate lastmodifieddate",
            "enumeration": "lifecyclestage favourite_channel",
        },
        _OWNED,
        _SOLD_TO,
    ),
    "companies": (
        {
            "string": "name domain website phone city country",
            "number": "hs_object_id numberofemployees annualrevenue num_associated_contacts",
            "datetime": "createdate hs_lastmodifieddate first_contact_createdate",
            "enumeration": "industry type lifecyclestage",
        },
        _OWNED,
        _SOLD_TO,
    ),
    "deals": (
        {
            "string": "dealname closed_lost_reason closed_won_reason",
            "number": "hs_object_id amount amount_in_home_currency hs_deal_stage_probability hs_closed_amount "
            "hs_projected_amount days_to_close num_associated_contacts num_notes",
            "datetime": "closedate createdate hs_createdate hs_lastmodifieddate notes_last_updated "
            "hs_date_entered_appointmentscheduled hs_date_entered_qualifiedtobuy "
            "hs_date_entered_presentationscheduled hs_date_entered_decisionmakerboughtin "
            "hs_date_entered_contractsent hs_date_entered_closedwon hs_date_entered_closedlost",
            "enumeration": "deal_currency_code pipeline dealstage dealtype",
            "bool": "hs_is_closed hs_is_closed_won",
        },
        _OWNED,
    ),
    "line_items": (
        {
            "string": "name description hs_sku hs_recurring_billing_period",
            "number": "hs_object_id hs_product_id price quantity amount discount hs_tcv hs_arr hs_position_on_quote",
            "datetime": "createdate hs_lastmodifieddate",
            "enumeration": "hs_line_item_currency_code recurringbillingfrequency",
        },
    ),
    "products": (
        {
            "string": "name description hs_sku hs_recurring_billing_period",
            "number": "hs_object_id price",
            "datetime": "createdate hs_createdate hs_lastmodifieddate",
            "enumeration": "recurringbillingfrequency",
        },
    ),
    "tickets": (
        {
            "string": "subject content",
            "number": "hs_object_id hs_ticket_id time_to_first_agent_reply time_to_close "
            "hs_num_times_contacted num_notes",
            "datetime": "createdate hs_lastmodifieddate closed_date first_agent_reply_date",
            "enumeration": "hs_pipeline hs_pipeline_stage hs_ticket_priority hs_ticket_category source_type",
        },
        _OWNED,
    ),
    "calls": (
        {
            "string": "hs_call_title hs_call_body hs_call_disposition hs_call_to_number",
            "number": "hs_call_duration",
            "enumeration": "hs_call_direction hs_call_status hs_call_source",
        },
        _ENGAGEMENT,
        _OWNED,
    ),
    "emails": (
        {
            "string": "hs_email_subject hs_email_text hs_email_html hs_email_sender_email hs_email_message_id "
            "hs_email_from_email hs_email_from_firstname hs_email_from_lastname "
            "hs_email_to_email hs_email_to_firstname hs_email_to_lastname",
            "enumeration": "hs_email_direction hs_email_status",
        },
        _ENGAGEMENT,
        _OWNED,
    ),
    "meetings": (
        {
            "string": "hs_meeting_title hs_meeting_body hs_meeting_location hs_attendee_owner_ids hs_i_cal_uid",
            "datetime": "hs_meeting_start_time hs_meeting_end_time",
            "enumeration": "hs_meeting_outcome",
        },
        _ENGAGEMENT,
        _OWNED,
    ),
    "notes": ({"string": "hs_note_body"}, _ENGAGEMENT, _OWNED),
    "tasks": (
        {
            "string": "hs_task_subject hs_task_body hs_task_reminders",
            "number": "hs_num_associated_contacts hs_num_associated_deals",
            "datetime": "hs_task_completion_date",
            "enumeration": "hs_task_status hs_task_priority hs_task_type",
            "bool": "hs_task_is_all_day",
        },
        _ENGAGEMENT,
        _OWNED,
    ),
}
_ALWAYS = {
    "contacts": ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
    "companies": ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    "deals": (
        "amount",
        "closedate",
        "createdate",
        "dealname",
        "dealstage",
        "hs_lastmodifieddate",
        "hs_object_id",
        "pipeline",
    ),
    "products": ("createdate", "description", "hs_lastmodifieddate", "hs_object_id", "name", "price"),
    "line_items": ("createdate", "hs_lastmodifieddate", "hs_object_id"),
    "tickets": (
        *("content", "createdate", "hs_lastmodifieddate", "hs_object_id", "hs_pipeline", "hs_pipeline_stage"),
        *("hs_ticket_category", "hs_ticket_priority", "subject"),
    ),
}
_BASIS = {"contacts": ("createdate", "hs_object_id", "lastmodifieddate")}
_ENGAGEMENT_BASIS = ("hs_createdate", "hs_lastmodifieddate", "hs_object_id")

TYPES = tuple(_TYPES)


def types_of(kind: str) -> dict[str, str]:
    """Every property of a type of object with its type."""
    return {
        name: value_type
        for group in _TYPES[kind]
        for value_type, names in group.items()
        for name in names.split()
    }  # fmt: skip


def answered_without_asking(kind: str) -> tuple[str, ...]:
    """What the API answers when no property is asked for."""
    return _ALWAYS.get(kind, _ENGAGEMENT_BASIS)


def answered_always(kind: str) -> tuple[str, ...]:
    """What the API adds to the properties that are asked for."""
    if kind in _ALWAYS:
        return _BASIS.get(kind, ("createdate", "hs_lastmodifieddate", "hs_object_id"))
    return _ENGAGEMENT_BASIS


def definition(kind: str, name: str) -> Record:
    """A property as the API defines it; one that is not known here is the account's own text."""
    value_type = types_of(kind).get(name, "string")
    is_own = name in _OWN or name not in types_of(kind)
    return {
        "name": name,
        "label": name.removeprefix("hs_").replace("_", " ").capitalize(),
        "type": value_type,
        "fieldType": _FIELD_TYPES[value_type],
        "description": "",
        "groupName": f"{kind}information" if not is_own else "own",
        "options": list(_options(name)),
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": False,
        "hasUniqueValue": name == "email",
        "hidden": False,
        "formField": False,
        "archived": False,
        "hubspotDefined": not is_own,
    }


def _options(name: str) -> Iterator[Record]:
    if name == "favourite_channel":
        for place, value in enumerate(("email", "phone")):
            yield {"label": value.title(), "value": value, "displayOrder": place, "hidden": False}
