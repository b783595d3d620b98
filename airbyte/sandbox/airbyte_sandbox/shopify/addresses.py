"""Where people live, as the shop's records know it; the files know no `province_code`."""

from airbyte_sandbox.people import Person
from airbyte_sandbox.schema import Record
from airbyte_sandbox.shopify.sales import customer_id


def address(person: Person) -> Record:
    """As an order knows it."""
    return {**place(person), "province_code": None, "latitude": None, "longitude": None}


def customer_address(person: Person) -> Record:
    """As the person's own record knows it."""
    return {**customer_place(person), "province_code": None}


def customer_place(person: Person) -> Record:
    """As the person's own record in a file knows it."""
    return {
        "id": customer_id(person) + 1,
        "customer_id": customer_id(person),
        **place(person),
        "country_name": person.country.name,
        "default": True,
    }


def place(person: Person) -> Record:
    """As an order in a file knows it."""
    return {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "name": person.name,
        "company": person.company,
        "address1": person.street,
        "address2": None,
        "city": person.city,
        "province": None,
        "zip": person.postal_code,
        "phone": person.phone,
        "country": person.country.name,
        "country_code": person.country.code,
    }
