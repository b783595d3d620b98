"""Everything the help desk holds in a world, by the name of the connector's stream."""

from collections import Counter
from functools import lru_cache

from airbyte_sandbox.cases import Case, cases
from airbyte_sandbox.schema import Record
from airbyte_sandbox.world import World
from airbyte_sandbox.zendesk_support import audits, ids, metrics, settings, tickets, users
from airbyte_sandbox.zendesk_support.numbers import whole_number

Streams = dict[str, list[Record]]


@lru_cache(maxsize=4)
def streams(world: World) -> Streams:
    """Every stream but the audits, oldest record first; tickets have their figures beside them."""
    found, horizon = cases(world), world.horizon
    exported = [tickets.ticket(case, horizon) for case in found]
    return {
        "tickets": exported,
        "ticket_metrics": [figures for case in found if (figures := metrics.metric_set(case, horizon))],
        "ticket_metric_events": [event for case in found for event in metrics.metric_events(case, horizon)],
        "ticket_events": [event for case in found for event in audits.ticket_events(case, horizon)],
        "satisfaction_ratings": [rating for case in found if (rating := tickets.rating(case, horizon))],
        "users": users.users(world),
        "organizations": users.organisations(world),
        "groups": users.groups(world),
        "group_memberships": users.memberships(world),
        "ticket_fields": settings.fields(world),
        "ticket_forms": settings.forms(world),
        "macros": settings.macros(world),
        "brands": settings.brands(world),
        "sla_policies": settings.sla_policies(world),
        "schedules": settings.schedules(world),
        "custom_roles": settings.roles(world),
        "tags": _tags(exported),
    }


def case_of(world: World, ticket: str) -> Case | None:
    """The case of a ticket's number; None for a ticket that is not there, or no longer."""
    place = (whole_number(ticket) or 0) - 1
    found = cases(world)
    if not 0 <= place < len(found) or found[place].status(world.horizon) == "deleted":
        return None
    assert ids.ticket(found[place]) == place + 1
    return found[place]


def _tags(exported: list[Record]) -> list[Record]:
    counted = Counter(tag for ticket in exported if ticket["status"] != "deleted" for tag in ticket["tags"])
    return [{"name": name, "count": counted[name]} for name in sorted(counted, key=lambda name: (-counted[name], name))]
