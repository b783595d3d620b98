"""How the CRM shows contacts and their companies: with figures of what was sold to them and said with them."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from airbyte_sandbox import words
from airbyte_sandbox.cases import Case
from airbyte_sandbox.hubspot import settings
from airbyte_sandbox.hubspot.activities import Activity
from airbyte_sandbox.hubspot.contacts import Contact, company_id
from airbyte_sandbox.hubspot.deals import Deal
from airbyte_sandbox.hubspot.values import CrmObject, Value, properties

_STAGES = ("lead", "opportunity", "customer")
_INDUSTRIES = ("COMPUTER_SOFTWARE", "RETAIL", "DESIGN", "MACHINERY", "FOOD_PRODUCTION")
_SAID = ("calls", "emails", "meetings")


@dataclass
class History:
    """What happened with a contact until the horizon."""

    contact: Contact
    horizon: datetime
    deals: list[Deal] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)

    @property
    def stage(self) -> str:
        """The stage of life."""
        if self.contact.is_customer(self.horizon):
            return "customer"
        return "opportunity" if self.deals else "lead"

    @property
    def forgotten_at(self) -> datetime | None:
        """When the contact was archived, if it has been."""
        at = self.contact.forgotten_at
        return at if at and at <= self.horizon else None

    @property
    def won(self) -> list[tuple[datetime, Deal]]:
        """The deals that were won, in order."""
        found = [(at, deal) for deal in self.deals if (at := deal.won_at(self.horizon))]
        return sorted(found, key=lambda one: one[0])

    def moments(self) -> list[datetime]:
        """Whenever one of the figures changed."""
        joined = [self.contact.joined_at] if self.contact.is_customer(self.horizon) else []
        closed = [at for deal in self.deals for _, at in deal.until(self.horizon)]
        others = [case.created_at for case in self.cases] + [found.begun_at for found in self.activities]
        return [found for found in (self.contact.known_at, *joined, *closed, *others, self.forgotten_at) if found]


def contact(history: History) -> CrmObject:
    """A contact; one that was archived is marked so."""
    who, changed = history.contact, max(history.moments())
    own = properties(
        hs_object_id=who.id,
        email=who.email,
        firstname=who.first_name,
        lastname=who.last_name,
        phone=who.phone,
        jobtitle=who.job,
        company=who.company,
        associatedcompanyid=company_id(who.company) if who.company else None,
        website=f"https://{words.domain(who.company)}" if who.company else None,
        city=who.city,
        country=who.country.name,
        hs_language=None,
        lifecyclestage=history.stage,
        hs_email_domain=who.email.partition("@")[2],
        createdate=who.known_at,
        lastmodifieddate=changed,
        hubspot_owner_id=settings.owner_id(who.owner),
        hubspot_owner_assigneddate=who.known_at,
        favourite_channel=("email", "phone", None)[who.id % 3],
    )
    return CrmObject(str(who.id), who.known_at, changed, {**own, **_figures([history])}, history.forgotten_at)


def companies(histories: list[History]) -> list[CrmObject]:
    """The companies of the contacts."""
    by_company: dict[str, list[History]] = defaultdict(list)
    for history in sorted(histories, key=lambda found: (found.contact.known_at, found.contact.id)):
        if history.contact.company:
            by_company[history.contact.company].append(history)
    return [_company(name, found) for name, found in by_company.items()]


def _company(name: str, histories: list[History]) -> CrmObject:
    first, number = histories[0].contact, company_id(name)
    changed = max(at for history in histories for at in history.moments())
    own = properties(
        hs_object_id=number,
        name=name,
        domain=words.domain(name),
        website=f"https://{words.domain(name)}",
        phone=None,
        city=first.city,
        country=first.country.name,
        industry=_INDUSTRIES[number % len(_INDUSTRIES)],
        numberofemployees=20 + 35 * (number % 11),
        annualrevenue=1_000_000 + 750_000 * (number % 13),
        type="PROSPECT",
        lifecyclestage=max((found.stage for found in histories), key=_STAGES.index),
        createdate=first.known_at,
        hs_lastmodifieddate=changed,
        first_contact_createdate=first.known_at,
        num_associated_contacts=sum(not found.forgotten_at for found in histories),
        hubspot_owner_id=settings.owner_id(first.owner),
        hubspot_owner_assigneddate=first.known_at,
    )
    return CrmObject(str(number), first.known_at, changed, {**own, **_figures(histories)})


def _figures(histories: list[History]) -> dict[str, Value]:
    begun = sorted(deal.created_at for history in histories for deal in history.deals)
    won = sorted((one for history in histories for one in history.won), key=lambda one: one[0])
    done = [found for history in histories for found in history.activities]
    said = [found.begun_at for found in done if found.kind in _SAID]
    return properties(
        num_associated_deals=len(begun) or None,
        first_deal_created_date=begun[0] if begun else None,
        recent_deal_amount=won[-1][1].amount if won else None,
        recent_deal_close_date=won[-1][0] if won else None,
        closedate=won[0][0] if won else None,
        days_to_close=(won[0][0] - histories[0].contact.known_at).days if won else None,
        total_revenue=sum(deal.amount for _, deal in won) if won else None,
        notes_last_contacted=max(said, default=None),
        notes_last_updated=max((found.begun_at for found in done), default=None),
        num_notes=len(done),
        num_contacted_notes=len(said),
    )
