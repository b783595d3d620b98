"""Customers as the API has them."""

from airbyte_sandbox.people import Person
from airbyte_sandbox.schema import Record
from airbyte_sandbox.shopify.addresses import customer_address
from airbyte_sandbox.shopify.money import Amount, cents
from airbyte_sandbox.shopify.sales import customer_id, orders_by_person
from airbyte_sandbox.shopify.stamps import graphql_id, stamp
from airbyte_sandbox.world import World


def customer_summary(person: Person) -> Record:
    """A customer inside an order: without what the orders change."""
    return {
        "id": customer_id(person),
        "email": person.email,
        "created_at": stamp(person.joined_at),
        "updated_at": stamp(person.joined_at),
        "first_name": person.first_name,
        "last_name": person.last_name,
        "state": "enabled" if person.number % 4 else "disabled",
        "note": None,
        "verified_email": True,
        "multipass_identifier": None,
        "tax_exempt": False,
        "phone": person.phone,
        "currency": "USD",
        "tags": "",
        "email_marketing_consent": {
            "state": "subscribed" if person.number % 3 == 0 else "not_subscribed",
            "opt_in_level": "single_opt_in",
            "consent_updated_at": stamp(person.joined_at) if person.number % 3 == 0 else None,
        },
        "sms_marketing_consent": None,
        "tax_exemptions": [],
        "admin_graphql_api_id": graphql_id("Customer", customer_id(person)),
        "default_address": customer_address(person),
    }


def customer_record(world: World, person: Person) -> Record:
    """A customer as they are on the world's last day; their last order was the last change."""
    mine = orders_by_person(world).get(person.number, ())
    last = mine[-1] if mine else None
    return {
        **customer_summary(person),
        "updated_at": stamp(last.placed_at if last else person.joined_at),
        "orders_count": len(mine),
        "total_spent": Amount(sum(cents(order.total) for order in mine), 0).text,
        "last_order_id": last.id if last else None,
        "last_order_name": f"#{1001 + last.sequence}" if last else None,
        "addresses": [customer_address(person)],
    }
