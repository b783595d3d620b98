from datetime import date
from decimal import Decimal

import pytest

from analysis.profiling.masking import MASK, mask_rows

PEOPLE = [
    {"email": "ada@example.com", "full_name": "Ada Lovelace", "phone": "+44 20 7946 0018", "author_login": "ada"},
    {"email": None, "full_name": "Bob Hope", "phone": None, "author_login": "ada"},
]


def test_what_names_or_reaches_a_person_is_masked_and_nulls_stay():
    assert mask_rows(PEOPLE) == [
        dict.fromkeys(PEOPLE[0], MASK),
        {"email": None, "full_name": MASK, "phone": None, "author_login": MASK},
    ]


def test_what_says_nothing_of_a_person_is_shown_as_it_is():
    rows = [
        {
            "customer_key": "5d41402abc4b2a76b9719d911017c592",
            "day": date(2026, 6, 30),
            "currency": "EUR",
            "amount": Decimal("12.50"),
            "is_email_verified": True,
            "email_count": 3,
            "lifetime_value": {"EUR": 12.5},
            "tags": ["vip"],
            "title": "Fix the parser",
        }
    ]
    assert mask_rows(rows) == rows


@pytest.mark.parametrize(
    "value",
    [{"billing": {"email": "ada@example.com"}}, {"owner": {"full_name": "Ada Lovelace"}}, ["to ada@example.com"]],
    ids=["address inside", "name inside", "address in a list"],
)
def test_an_object_that_holds_a_person_is_masked_whole(value):
    assert mask_rows([{"id": 1, "details": value}]) == [{"id": 1, "details": MASK}]


def test_an_address_inside_running_text_is_masked_alone():
    rows = [{"note": "Wrote to ada@example.com (and bob@mail.example.org), twice."}]
    assert mask_rows(rows) == [{"note": f"Wrote to {MASK} (and {MASK}), twice."}]


def test_an_address_under_any_name_is_masked():
    assert mask_rows([{"x1": "ada@example.com"}]) == [{"x1": MASK}]


def test_no_rows_are_no_rows():
    assert mask_rows([]) == []
