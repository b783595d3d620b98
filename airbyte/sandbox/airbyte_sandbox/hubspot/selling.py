"""How the CRM shows deals, what is in them, and the products there are."""

from datetime import datetime, timedelta

from airbyte_sandbox.cases import Case
from airbyte_sandbox.hubspot import settings
from airbyte_sandbox.hubspot.activities import Activity
from airbyte_sandbox.hubspot.deals import LOST, PRODUCTS, WON, Deal
from airbyte_sandbox.hubspot.values import CrmObject, properties
from airbyte_sandbox.world import World

_REASONS = ("Too expensive", "Chose another", "No answer", "Not now")
_NAMES = tuple(name for name, _ in PRODUCTS)


def deal(found: Deal, activities: list[Activity], cases: list[Case], horizon: datetime) -> CrmObject:
    """A deal in the stage it has reached, with what was done about it and asked after it."""
    entered = found.until(horizon)
    stage, moved_at = entered[-1]
    done = [activity.begun_at for activity in activities]
    changed = max([moved_at, *done, *(case.created_at for case in cases)])
    closed = stage in (WON, LOST)
    own = properties(
        hs_object_id=found.id,
        dealname=found.name,
        amount=found.amount,
        amount_in_home_currency=found.amount,
        deal_currency_code="USD",
        pipeline="default",
        dealstage=stage,
        dealtype="newbusiness" if found.is_new_business else "existingbusiness",
        # An open deal has the day on which it is hoped to close.
        closedate=moved_at if closed else found.created_at + timedelta(days=30),
        createdate=found.created_at,
        hs_createdate=found.created_at,
        hs_lastmodifieddate=changed,
        hs_is_closed=closed,
        hs_is_closed_won=stage == WON,
        hs_deal_stage_probability=settings.probability(stage),
        hs_closed_amount=found.amount if stage == WON else 0,
        hs_projected_amount=round(found.amount * float(settings.probability(stage)), 2),
        days_to_close=(moved_at - found.created_at).days if closed else None,
        closed_lost_reason=_REASONS[found.id % len(_REASONS)] if stage == LOST else None,
        closed_won_reason=None,
        num_associated_contacts=1,
        num_notes=len(done),
        notes_last_updated=max(done, default=None),
        hubspot_owner_id=settings.owner_id(found.contact.owner),
        hubspot_owner_assigneddate=found.created_at,
        **{f"hs_date_entered_{name}": at for name, at in entered},
    )
    return CrmObject(str(found.id), found.created_at, changed, own)


def line_items(found: Deal) -> list[CrmObject]:
    """What a deal is about; it stays as it was first written."""
    return [
        CrmObject(
            str(found.id * 10 + place),
            found.created_at,
            found.created_at,
            properties(
                hs_object_id=found.id * 10 + place,
                name=line.product,
                description=None,
                hs_product_id=product_id(line.product),
                hs_sku=line.product.upper(),
                price=line.price,
                quantity=line.quantity,
                amount=line.price * line.quantity,
                discount=None,
                hs_line_item_currency_code="USD",
                recurringbillingfrequency=_frequency(line.product),
                hs_recurring_billing_period="P12M" if _frequency(line.product) else None,
                hs_tcv=line.price * line.quantity,
                hs_arr=line.price * line.quantity if _frequency(line.product) else 0,
                createdate=found.created_at,
                hs_lastmodifieddate=found.created_at,
                hs_position_on_quote=place,
            ),
        )
        for place, line in enumerate(found.lines)
    ]


def products(world: World) -> list[CrmObject]:
    """What can be sold."""
    at = settings.opened_at(world)
    return [
        CrmObject(
            str(product_id(name)),
            at,
            at,
            properties(
                hs_object_id=product_id(name),
                name=name,
                description=f"{name}, a year" if _frequency(name) else f"{name}, once",
                hs_sku=name.upper(),
                price=price,
                recurringbillingfrequency=_frequency(name),
                hs_recurring_billing_period="P12M" if _frequency(name) else None,
                createdate=at,
                hs_createdate=at,
                hs_lastmodifieddate=at,
            ),
        )
        for name, price in PRODUCTS
    ]


def product_id(name: str) -> int:
    """The id of a product."""
    return 646_176_400 + _NAMES.index(name)


def _frequency(name: str) -> str | None:
    return None if name == "Onboarding" else "annually"
