"""How the CRM shows calls, e-mails, meetings, notes and tasks at a horizon."""

from datetime import datetime, timedelta

from airbyte_sandbox.hubspot import settings
from airbyte_sandbox.hubspot.activities import Activity
from airbyte_sandbox.hubspot.values import CrmObject, Value, milliseconds, properties


def engagement(activity: Activity, horizon: datetime) -> CrmObject:
    """An activity as an object of its kind."""
    changed = activity.changed_at(horizon)
    shared = properties(
        hs_object_id=activity.id,
        hs_timestamp=activity.planned_at or activity.begun_at,
        hs_createdate=activity.begun_at,
        hs_lastmodifieddate=changed,
        hubspot_owner_id=settings.owner_id(activity.owner),
        hubspot_owner_assigneddate=activity.begun_at,
        hs_all_owner_ids=settings.owner_id(activity.owner),
        hs_created_by=settings.user_id(activity.owner),
        hs_created_by_user_id=settings.user_id(activity.owner),
        hs_modified_by=settings.user_id(activity.owner),
        hs_updated_by_user_id=settings.user_id(activity.owner),
        hs_body_preview=activity.body,
        hs_engagement_source="CRM_UI",
        hs_gdpr_deleted=None,
    )
    own = {"calls": _call, "emails": _email, "meetings": _meeting, "notes": _note, "tasks": _task}[activity.kind]
    return CrmObject(str(activity.id), activity.begun_at, changed, {**shared, **own(activity, horizon)})


def _call(activity: Activity, _: datetime) -> dict[str, Value]:
    return properties(
        hs_call_title=activity.title,
        hs_call_body=activity.body,
        hs_call_direction="OUTBOUND",
        hs_call_status="COMPLETED",
        # The id that stands for "connected" in every account.
        hs_call_disposition="f240bbac-87c9-4f6e-bf70-924b57d47db7",
        hs_call_duration=60_000 * (3 + activity.id % 17),
        hs_call_to_number=activity.contact.phone,
        hs_call_source="INTEGRATIONS_PLATFORM",
    )


def _email(activity: Activity, _: datetime) -> dict[str, Value]:
    contact, owner = activity.contact, activity.owner
    names = {"email": contact.email, "firstname": contact.first_name, "lastname": contact.last_name}
    team = {"email": owner.email, "firstname": owner.first_name, "lastname": owner.last_name}
    sender, receiver = (names, team) if activity.is_incoming else (team, names)
    sides = {
        **{f"hs_email_from_{name}": value for name, value in sender.items()},
        **{f"hs_email_to_{name}": value for name, value in receiver.items()},
    }
    return properties(
        hs_email_subject=activity.title,
        hs_email_text=activity.body,
        hs_email_html=f"<p>{activity.body}</p>",
        hs_email_direction="INCOMING_EMAIL" if activity.is_incoming else "EMAIL",
        hs_email_status="SENT",
        hs_email_sender_email=sender["email"],
        hs_email_message_id=f"<{activity.id}@sandbox-labs.example>",
        **sides,
    )


def _meeting(activity: Activity, horizon: datetime) -> dict[str, Value]:
    begins = activity.planned_at or activity.begun_at
    return properties(
        hs_meeting_title=activity.title,
        hs_meeting_body=activity.body,
        hs_meeting_start_time=begins,
        hs_meeting_end_time=begins + timedelta(hours=1),
        hs_meeting_location="Video",
        hs_meeting_outcome="COMPLETED" if activity.is_done(horizon) else "SCHEDULED",
        hs_attendee_owner_ids=settings.owner_id(activity.owner),
        hs_i_cal_uid=f"{activity.id}@sandbox-labs.example",
    )


def _note(activity: Activity, _: datetime) -> dict[str, Value]:
    return properties(hs_note_body=activity.body)


def _task(activity: Activity, horizon: datetime) -> dict[str, Value]:
    done = activity.done_at if activity.is_done(horizon) else None
    return properties(
        hs_task_subject=activity.title,
        hs_task_body=activity.body,
        hs_task_status="COMPLETED" if done else "NOT_STARTED",
        hs_task_priority="MEDIUM",
        hs_task_type="CALL",
        hs_task_completion_date=done,
        hs_task_is_all_day=False,
        hs_task_reminders=milliseconds(activity.planned_at) if activity.planned_at else None,
        hs_num_associated_contacts=1,
        hs_num_associated_deals=1 if activity.deal else 0,
    )
