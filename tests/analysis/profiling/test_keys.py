import pytest

from analysis.profiling import StreamSample, profile_stream


def keys_of(records, primary_key=(), stream="orders"):
    sample = StreamSample(
        source="s", stream=stream, table="t", json_schema={}, primary_key=primary_key, records=records
    )
    return profile_stream(sample).keys


def test_the_declared_key_comes_first_with_its_duplicates_counted():
    key = keys_of([{"code": "a", "id": 1}, {"code": "a", "id": 2}], ((("code"),),))[0]
    assert (key.columns, key.is_declared, key.duplicates) == ((("code",),), True, 1)


def test_a_declared_key_that_no_row_holds_is_not_offered():
    assert not any(key.is_declared for key in keys_of([{"name": "a"}, {"name": "b"}], (("id",),)))


@pytest.mark.parametrize(
    ("stream", "name"),
    [("orders", "id"), ("orders", "order_id"), ("customers", "customerNumber"), ("commits", "sha"), ("calls", "sid")],
)
def test_a_name_of_its_own_is_a_key_even_in_a_small_sample(stream, name):
    keys = keys_of([{name: f"x{number}", "note": f"n{number}"} for number in range(3)], stream=stream)
    assert [key.columns for key in keys] == [((name,),)]


def test_three_rows_do_not_make_every_column_a_key():
    records = [
        {"title": f"t{n}", "total": n, "city": f"c{n}", "created_at": f"2024-01-0{n}T00:00:00Z"} for n in (1, 2, 3)
    ]
    assert keys_of(records) == ()


def test_the_id_of_another_thing_is_no_key():
    records = [{"user": {"id": number}, "text": "x"} for number in range(3)]
    assert keys_of(records) == ()


def test_times_amounts_and_flags_are_no_keys_however_distinct():
    records = [{"created_at": 1715026235 + n, "amount": n / 7, "is_paid": n % 2 == 0} for n in range(200)]
    assert keys_of(records) == ()


def test_identifiers_that_only_together_are_distinct_make_a_key():
    records = [{"user_id": user, "group_id": group, "role": "member"} for user in range(4) for group in range(3)]
    assert {path for path in keys_of(records)[0].columns} == {("user_id",), ("group_id",)}


def test_a_report_is_identified_by_its_day_and_dimension():
    records = [
        {"date": f"2024-01-{day:02}", "campaign_id": f"{campaign}", "clicks": day * campaign}
        for day in range(1, 11)
        for campaign in range(3)
    ]
    assert {path for path in keys_of(records)[0].columns} == {("date",), ("campaign_id",)}


def test_an_empty_stream_has_no_inferred_key():
    assert keys_of([]) == ()
