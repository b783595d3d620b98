import pytest

from analysis.profiling import StreamSample, profile_stream

UUIDS = [f"1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4be{digit}" for digit in range(5)]

CASES = [
    ("email", ["ada@example.com", "bob@example.org"], "email"),
    ("contact", ["ada@example.com", "bob@example.org"], "email"),
    ("email", ["not given", "unknown"], "unknown"),
    ("phone", ["+1 415 555 2671", "+44 20 7946 0958"], "phone"),
    ("mobile_number", ["(415) 555-2671", "415-555-2672"], "phone"),
    ("order_no", ["415-555-2671", "415-555-2672"], "unknown"),
    ("homepage", ["https://example.com/a", "http://example.org"], "url"),
    ("website", ["www.example.com", "shop.example.io"], "url"),
    ("token", UUIDS, "uuid"),
    ("id", [1, 2, 3], "identifier"),
    ("customer_id", ["cus_1", "cus_2"], "identifier"),
    ("customer", ["cus_Q3fCJO6pdqbdAr", "cus_OsDZA9pqByjT9H"], "identifier"),
    ("seen", ["2024-01-31T10:00:00Z", "2024-02-01T10:00:00.123+02:00"], "iso_timestamp"),
    ("seen", ["2024-01-31 10:00:00+00", "2024-02-01 10:00:00+00"], "iso_timestamp"),
    ("seen", ["2024-02-31T10:00:00Z", "2024-13-01T10:00:00Z"], "unknown"),
    ("day", ["2024-01-31", "2024-02-01"], "date"),
    ("created", [1715026235, 1715026236], "epoch_seconds"),
    ("updated", ["1715026235", "1715026236"], "epoch_seconds"),
    ("timestamp", [1715026235000, 1715026236000], "epoch_milliseconds"),
    ("account", [1715026235, 1715026236], "number"),
    ("created", [1, 2], "number"),
    ("currency", ["usd", "EUR"], "currency"),
    ("currency", ["gold", "silver"], "unknown"),
    ("status", ["ALL", "TOP"], "enum"),
    ("country", ["DE", "US"], "country"),
    ("address_country", ["Germany", "United States"], "country"),
    ("active", [True, False], "boolean_like"),
    ("subscribed", ["yes", "no"], "boolean_like"),
    ("is_open", [0, 1], "boolean_like"),
    ("retries", [0, 1], "number"),
    ("price", ["12.50", "8"], "number"),
    ("first_name", ["Ada", "Bob"], "person_name"),
    ("description", ["It broke", "again"], "free_text"),
    ("remark", ["a text of quite a few words here", "another text with even more words in it"], "free_text"),
    ("payload", ['{"a": 1}', "[1, 2]"], "json"),
    ("user", [{"id": 1}], "json"),
    ("state", ["open", "closed"], "enum"),
    ("nothing", [None], "unknown"),
]


def column_of(name, values, json_schema=None, **others):
    records = [{name: value, **others} for value in values]
    stream = StreamSample(source="s", stream="t", table="s_t", json_schema=json_schema or {}, records=records)
    return profile_stream(stream).column((name,))


@pytest.mark.parametrize(("name", "values", "expected"), CASES, ids=[f"{c[0]}-{c[2]}-{n}" for n, c in enumerate(CASES)])
def test_meaning_follows_from_name_and_values(name, values, expected):
    column = column_of(name, values)
    assert column.semantic_type == expected
    assert column.evidence


def test_whole_amounts_beside_a_currency_are_minor_units():
    assert column_of("amount", [1000, 250], currency="usd").semantic_type == "minor_units"


@pytest.mark.parametrize(
    ("name", "values", "others"),
    [
        ("amount", [1000, 250], {}),
        ("amount", [10.5, 2.5], {"currency": "usd"}),
        ("amount", ["1000", "250"], {"currency": "usd"}),
        ("amount_count", [1000, 250], {"currency": "usd"}),
    ],
    ids=["no currency", "fractions", "texts", "a count"],
)
def test_other_amounts_are_plain_numbers(name, values, others):
    assert column_of(name, values, **others).semantic_type == "number"


def test_amounts_declared_as_decimals_are_not_minor_units():
    schema = {"properties": {"amount": {"type": "number"}, "currency": {"type": "string"}}}
    assert column_of("amount", [1000, 250], schema, currency="usd").semantic_type == "number"


def test_a_declared_timestamp_needs_no_readable_values():
    schema = {"properties": {"at": {"type": ["null", "string"], "format": "date-time"}}}
    assert column_of("at", ["redacted"], schema).semantic_type == "iso_timestamp"


@pytest.mark.parametrize("name", ["email_verified", "phone_count", "zip_status"])
def test_facts_about_personal_data_are_not_personal(name):
    assert not column_of(name, [1, 0, 1]).is_personal


@pytest.mark.parametrize("name", ["last_name", "address1", "postal_code", "ip", "birthday"])
def test_names_addresses_and_numbers_of_people_are_personal(name):
    assert column_of(name, ["Ada", "Bob"]).is_personal
