import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.profiling import SampleProfile, StreamSample, profile_sample, profile_stream

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.decimals()
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
RECORDS = st.lists(st.dictionaries(st.text(max_size=12), JSON, max_size=6), max_size=8)
TELLING_TEXTS = st.sampled_from(
    [
        "2024-13-45T99:99",
        "1e999",
        "NaN",
        "+1",
        "@",
        "a@",
        "{",
        "[]",
        "9" * 400,
        "2024-01-01 00:00:00 +",
        "\x00",
        "ﬀ",
        "٣",
    ]
)


def sample(records, json_schema=None, **keys) -> StreamSample:
    return StreamSample(
        source="shop", stream="orders", table="shop_orders", json_schema=json_schema or {}, records=records, **keys
    )


@settings(max_examples=80, deadline=None)
@given(RECORDS)
def test_no_json_crashes_the_profile(records):
    profile = profile_stream(sample(records))
    assert profile.row_count == len(records)
    assert all(0 <= column.null_ratio <= 1 and 0 <= column.distinct_ratio <= 1 for column in profile.columns)
    assert len({column.path for column in profile.columns}) == len(profile.columns)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.fixed_dictionaries({"created_at": TELLING_TEXTS | SCALARS, "phone": TELLING_TEXTS}), max_size=5))
def test_values_that_look_like_something_do_not_crash_it(records):
    assert isinstance(profile_sample([sample(records)]), SampleProfile)


@settings(max_examples=50, deadline=None)
@given(JSON.filter(lambda value: isinstance(value, dict)), RECORDS)
def test_no_schema_crashes_the_profile(json_schema, records):
    profile_stream(sample(records, json_schema={"properties": json_schema, **json_schema}))


def test_the_same_sample_gives_the_same_profile():
    records = [{"id": number, "tags": ["a", "b"], "user": {"id": number % 2}} for number in range(30)]
    assert profile_sample([sample(records)]) == profile_sample([sample(records)])


def test_nested_values_are_columns_by_path():
    profile = profile_stream(sample([{"user": {"login": "ada"}, "items": [{"sku": "A"}, {"sku": "B"}]}, {}]))
    assert profile.column(("user", "login")).null_ratio == 0.5
    assert profile.column(("items", "[]", "sku")).distinct_ratio == 1
    with pytest.raises(KeyError):
        profile.column(("user", "name"))


def test_an_empty_stream_keeps_its_declared_columns():
    schema = {"properties": {"id": {"type": "string"}, "at": {"type": ["null", "string"], "format": "date-time"}}}
    profile = profile_stream(sample([], schema, primary_key=(("id",),)))
    assert [column.declared_type for column in profile.columns] == ["string", "timestamptz"]
    assert [key.columns for key in profile.keys] == [(("id",),)]


def test_the_loaders_own_columns_are_left_out():
    assert [c.path for c in profile_stream(sample([{"id": 1, "_airbyte_raw_id": "x"}])).columns] == [("id",)]


def test_ratios_extremes_and_top_values_are_of_the_sampled_rows():
    column = profile_stream(sample([{"size": 9}, {"size": 10}, {"size": 10}, {"size": None}])).column(("size",))
    assert (column.minimum, column.maximum, column.null_ratio) == ("9", "10", 0.25)
    assert column.top_values == (("10", 2), ("9", 1))


def test_personal_columns_keep_no_values():
    column = profile_stream(sample([{"email": "ada@example.com"}, {"email": "bob@example.com"}])).column(("email",))
    assert column.is_personal
    assert (column.minimum, column.maximum, column.top_values) == (None, None, ())


def test_types_that_contradict_each_other_are_called_mixed():
    profile = profile_stream(sample([{"a": 1, "b": 1, "c": math.inf}, {"a": "x", "b": 2.5, "c": Decimal("NaN")}]))
    assert [column.observed_type for column in profile.columns] == ["mixed", "number", "number"]


def test_sixteen_hundred_columns_are_all_profiled():
    profile = profile_stream(sample([{f"column_{number}": number for number in range(1600)}]))
    assert len(profile.columns) == 1600
