"""A world's CRM as it is on the last day: every object by its type, and what is associated with what."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from airbyte_sandbox.cases import Case, cases
from airbyte_sandbox.hubspot import people, selling, serving
from airbyte_sandbox.hubspot.activities import Activity, of_case, of_deal
from airbyte_sandbox.hubspot.contacts import Contact, company_id, contacts
from airbyte_sandbox.hubspot.deals import Deal, deals
from airbyte_sandbox.hubspot.engagements import engagement
from airbyte_sandbox.hubspot.people import History
from airbyte_sandbox.hubspot.values import CrmObject
from airbyte_sandbox.world import World

Links = Mapping[tuple[str, str], Mapping[str, list[str]]]
"""From (type, associated type) to the ids by id."""
_ENGAGEMENTS = ("calls", "emails", "meetings", "notes", "tasks")
_Pair = tuple[str, object, str, object]


@dataclass(frozen=True)
class Portal:
    """All of it; objects in the order of their ids, archived ones among them."""

    objects: Mapping[str, tuple[CrmObject, ...]]
    links: Links

    def live(self, kind: str) -> dict[str, CrmObject]:
        """The objects of a type that are not archived, by id."""
        return {found.id: found for found in self.objects[kind] if not found.archived_at}


@lru_cache(maxsize=4)
def portal(world: World) -> Portal:
    """The CRM of a world."""
    known = {contact.id: contact for contact in contacts(world)}
    sold = deals(world)
    asked = list(_cases(world, known))
    done = list(_activities(world, sold, asked))
    histories = _histories(world, known, sold, asked, done)
    found = {
        "contacts": [people.contact(history) for history in histories.values()],
        "companies": people.companies(list(histories.values())),
        "deals": [_deal(deal, histories[deal.contact.id]) for deal in sold],
        "line_items": [item for deal in sold for item in selling.line_items(deal)],
        "products": selling.products(world),
        "tickets": [serving.ticket(case, world.horizon) for case, _ in asked],
        **{kind: [engagement(each, world.horizon) for each in done if each.kind == kind] for kind in _ENGAGEMENTS},
    }
    ordered = {kind: tuple(sorted(objects, key=lambda each: int(each.id))) for kind, objects in found.items()}
    return Portal(ordered, _links([*_pairs(histories, sold, asked), *_activity_pairs(done)]))


def _cases(world: World, known: Mapping[int, Contact]) -> Iterator[tuple[Case, Contact]]:
    """The cases of companies; those of others, and what was deleted as spam, never reach the CRM."""
    by_person = {found.person.number: found for found in known.values() if found.person}
    for case in cases(world):
        if case.requester.company and case.turns[-1].kind != "deleted":
            yield case, by_person[case.requester.number]


def _deal(deal: Deal, history: History) -> CrmObject:
    done = [activity for activity in history.activities if activity.deal is deal]
    return selling.deal(deal, done, _cases_after(deal, history), history.horizon)


def _cases_after(deal: Deal, history: History) -> list[Case]:
    """What is asked by someone whom this deal made a customer."""
    return history.cases if deal.is_new_business else []


def _activities(world: World, sold: tuple[Deal, ...], asked: list[tuple[Case, Contact]]) -> Iterator[Activity]:
    for deal in sold:
        yield from of_deal(deal, world.horizon)
    for case, contact in asked:
        yield from of_case(case, contact, world.horizon)


def _histories(
    world: World,
    known: Mapping[int, Contact],
    sold: tuple[Deal, ...],
    asked: list[tuple[Case, Contact]],
    done: list[Activity],
) -> dict[int, History]:
    histories = {number: History(contact, world.horizon) for number, contact in known.items()}
    for deal in sold:
        histories[deal.contact.id].deals.append(deal)
    for case, contact in asked:
        histories[contact.id].cases.append(case)
    for activity in done:
        histories[activity.contact.id].activities.append(activity)
    return histories


def _pairs(
    histories: Mapping[int, History], sold: tuple[Deal, ...], asked: list[tuple[Case, Contact]]
) -> Iterator[_Pair]:
    for history in histories.values():
        company = history.contact.company
        if company and not history.forgotten_at:
            yield "contacts", history.contact.id, "companies", company_id(company)
    for deal in sold:
        yield "deals", deal.id, "contacts", deal.contact.id
        if deal.contact.company:
            yield "deals", deal.id, "companies", company_id(deal.contact.company)
        for item in selling.line_items(deal):
            yield "deals", deal.id, "line_items", item.id
    for case, contact in asked:
        yield "tickets", serving.ticket_id(case), "contacts", contact.id
        yield "tickets", serving.ticket_id(case), "companies", company_id(str(contact.company))
    for deal in sold:
        for case in _cases_after(deal, histories[deal.contact.id]):
            yield "tickets", serving.ticket_id(case), "deals", deal.id


def _activity_pairs(done: list[Activity]) -> Iterator[_Pair]:
    for activity in done:
        yield activity.kind, activity.id, "contacts", activity.contact.id
        if activity.contact.company:
            yield activity.kind, activity.id, "companies", company_id(activity.contact.company)
        if activity.deal:
            yield activity.kind, activity.id, "deals", activity.deal.id
        if activity.case:
            yield activity.kind, activity.id, "tickets", serving.ticket_id(activity.case)


def _links(pairs: list[_Pair]) -> Links:
    """Both ways."""
    found: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for kind, number, other_kind, other in pairs:
        found[kind, other_kind][str(number)].append(str(other))
        found[other_kind, kind][str(other)].append(str(number))
    return found
