import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.modelling.naming import PROVENANCE, allocate, is_plain_name, normalise, plain_text, safe_word

NAMES = st.text(min_size=1, max_size=80)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("createdAt", "created_at"),
        ("HTTPServerID", "http_server_id"),
        ("Crème Brûlée", "creme_brulee"),
        ("a--b__c", "a_b_c"),
        ("1st", "n1st"),
        ("_source", "source"),
        ("select", "select_"),
    ],
)
def test_a_name_becomes_snake_case_that_needs_no_quotes(name, expected):
    assert safe_word(name) == expected


def test_a_name_without_a_latin_letter_gets_a_hash():
    assert re.fullmatch(r"unnamed_[0-9a-f]{8}", normalise("名前"))


@given(st.lists(NAMES, unique=True, max_size=30), st.randoms())
def test_allocated_names_are_plain_distinct_and_blind_to_order(names, random):
    wanted = {("raw", name): safe_word(name) for name in names}
    shuffled = list(wanted.items())
    random.shuffle(shuffled)
    chosen = allocate(wanted, length=63)
    assert chosen == allocate(dict(shuffled), length=63)
    assert len(set(chosen.values())) == len(names)
    assert all(is_plain_name(name, 63) and name not in PROVENANCE for name in chosen.values())


def test_who_is_called_so_keeps_the_name_among_equals():
    names = ["Created-At", "CREATED AT", "created_at"]
    chosen = allocate({(name,): safe_word(name) for name in names}, length=63)
    assert chosen[("created_at",)] == "created_at"
    assert chosen[("Created-At",)].startswith("created_at_")


@given(st.text(max_size=500))
def test_plain_text_is_one_short_line_that_jinja_leaves_alone(text):
    plain = plain_text(text)
    assert len(plain) <= 200
    assert plain.isprintable()
    assert not set("{}") & set(plain)
