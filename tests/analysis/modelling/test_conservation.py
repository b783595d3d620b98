import psycopg
import pytest

from analysis.errors import PermanentError
from analysis.modelling.conservation import StreamCounts, counting_query, judge_stream
from analysis.modelling.plan import RawColumn, SourceStream


def counts(**numbers: int | None) -> StreamCounts:
    return StreamCounts(source="shop", stream="orders", **{"raw_rows": 10, "staged_rows": 10, **numbers})


@pytest.mark.parametrize(
    "found",
    [
        counts(),
        counts(emitted=10),
        counts(emitted=12, loaded_duplicates=2),
        counts(staged_rows=7, raw_duplicates=3),
        counts(emitted=0, raw_rows=0, staged_rows=0),
    ],
    ids=["nothing emitted is known", "equal", "replaced by the load", "dropped by staging", "empty"],
)
def test_records_and_rows_that_differ_by_counted_duplicates_are_conserved(found):
    assert judge_stream(found).is_conserved


@pytest.mark.parametrize(
    "found",
    [counts(emitted=11), counts(emitted=9), counts(staged_rows=9), counts(staged_rows=11), counts(raw_duplicates=1)],
    ids=["lost by the load", "made by the load", "lost by staging", "made by staging", "kept duplicates"],
)
def test_any_other_difference_is_said_with_its_numbers(found):
    verdict = judge_stream(found)
    assert not verdict.is_conserved
    assert verdict.sentence.startswith("This does not add up: ")


def stream(**changes: object) -> SourceStream:
    columns = (RawColumn(name="id", sql_type="varchar"), RawColumn(name="data", sql_type="jsonb"))
    plain = {
        "name": "orders",
        "table": 'shop "%s" orders',
        "model_name": "orders",
        "description": "",
        "columns": columns,
    }
    return SourceStream(**{**plain, "key": (("id",), ("data", "it's")), "is_key_declared": True, **changes})


@pytest.mark.parametrize(
    ("found", "duplicates"),
    [(stream(), 1), (stream(is_key_declared=False), 0), (stream(is_deduplicated=True), 0), (stream(key=()), 0)],
    ids=["declared", "inferred", "deduplicated", "no key"],
)
def test_only_rows_of_one_complete_declared_key_count_as_duplicates(database, found, duplicates):
    with psycopg.connect(database) as connection:
        connection.execute("create schema raw")
        connection.execute('create table raw."shop ""%s"" orders" (id varchar, data jsonb)')
        connection.execute(
            """insert into raw."shop ""%s"" orders" values ('a', '{"it''s": 1}'), ('a', '{"it''s": 1}'),
            ('a', '{"it''s": 2}'), ('a', '{"it''s": null}'), ('a', '{}'), (null, '{"it''s": 1}'), (null, null)"""
        )
        assert connection.execute(counting_query(found, "raw")).fetchone() == (7, duplicates)


def test_a_key_outside_the_raw_table_is_an_error():
    with pytest.raises(PermanentError, match="lacks"):
        counting_query(stream(key=(("other",),)), "raw")
