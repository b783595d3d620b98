import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from analysis.errors import PermanentError
from orchestration.tenancy.identifiers import TenantId, TenantNames, check_raw_tables, check_source_name

ENDS = ("_", "_sample", "_analytics", "_history", "_builder", "_reader")
VALID = st.from_regex(r"[a-z0-9][a-z0-9_]{0,29}", fullmatch=True, alphabet="abcdeilmnprsthy019_").filter(
    lambda value: "__" not in value and not value.endswith(ENDS)
)


def derived(tenant, numbers=(1, 22)):
    names = TenantNames(TenantId(tenant))
    fixed = {names.raw, names.sample, names.scratch, names.analytics, names.build, names.history}
    return fixed | {names.builder, names.reader} | {names.release(number) for number in numbers}


@given(VALID)
def test_every_derived_name_fits_63_bytes_and_is_distinct(tenant):
    names = derived(tenant, (1, 10**12))
    assert len(names) == 10
    assert all(len(name.encode()) <= 63 for name in names)


@given(VALID, VALID)
def test_no_two_tenants_share_a_derived_name(one, other):
    if one != other:
        assert not derived(one) & derived(other)


def test_ids_built_from_the_reserved_words_share_no_name():
    words = ["a", "a_b", "sample", "analytics", "history", "builder", "r1", "a_scratch", "build", "analytics_r1", "raw"]
    valid = [word for word in words if not word.endswith(ENDS)]
    assert len(valid) > 8
    for one, other in combinations(valid, 2):
        assert not derived(one) & derived(other)


@given(st.text(max_size=40))
def test_any_text_is_either_within_the_rule_or_refused(value):
    within = (
        re.fullmatch(r"[a-z0-9][a-z0-9_]{0,29}", value, re.ASCII) is not None
        and "__" not in value
        and not value.endswith(ENDS)
    )
    if within:
        assert TenantId(value) == value
    else:
        with pytest.raises(PermanentError):
            TenantId(value)


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("", "is not empty"),
        (None, "is text"),
        ("a" * 31, "at most 30"),
        ("_a", "begins with"),
        ("Acme", "only the characters"),
        ("acme\n", "only the characters"),
        ("a\x00b", "only the characters"),
        ("é", "only the characters"),
        ("\u202eacme", "only the characters"),
        ('a"; drop schema x', "only the characters"),
        ("a__b", "double underscore"),
        ("a_", "end in _;"),
        ("a_sample", "end in _sample"),
        ("a_analytics", "end in _analytics"),
        ("a_history", "end in _history"),
        ("a_builder", "end in _builder"),
        ("a_reader", "end in _reader"),
    ],
    ids=repr,
)
def test_the_error_says_which_part_of_the_rule_was_broken(value, part):
    with pytest.raises(PermanentError, match=part) as caught:
        TenantId(value)
    assert str(caught.value).isascii() and "\n" not in str(caught.value)


def test_names_cannot_be_made_of_an_invalid_id():
    with pytest.raises(PermanentError):
        TenantNames("a__b")


def test_pydantic_validates_the_id_too():
    adapter = TypeAdapter(TenantId)
    assert isinstance(adapter.validate_python("acme"), TenantId)
    with pytest.raises((ValidationError, PermanentError)):
        adapter.validate_python("Acme")


@pytest.mark.parametrize("name", ["stripe", "shop_eu", "s3"])
def test_a_snake_case_token_names_a_source(name):
    assert check_source_name(name) == name


@pytest.mark.parametrize("name", ["", "Shop", "3s", "_a", "a_", "a__b", "a b", "a\n", "shop-eu", "a" * 31], ids=repr)
def test_other_source_names_are_refused(name):
    with pytest.raises(PermanentError, match="snake_case"):
        check_source_name(name)


@pytest.mark.parametrize(
    "streams",
    [
        [("shop", "eu_orders"), ("shop_eu", "orders")],
        [("shop", "my orders"), ("shop", "my_orders")],
        [("shop", "Orders"), ("shop", "orders")],
    ],
    ids=["prefix", "normalised", "case"],
)
def test_two_streams_of_one_table_are_refused_by_name(streams):
    with pytest.raises(PermanentError, match="share a raw table") as caught:
        check_raw_tables(streams)
    assert "orders" in str(caught.value)


def test_streams_of_tables_of_their_own_pass():
    check_raw_tables([("shop", "orders"), ("shop_eu", "orders"), ("shop", "orders")])
