"""Which raw rows a staging model keeps, and what it calls them."""

import psycopg
import pytest

from analysis.modelling import plan_models, render
from analysis.modelling.checks import expand
from analysis.profiling import CandidateKey, ColumnProfile, SampleProfile, StreamProfile

TABLE = """
create table raw.things as
select raw as _airbyte_raw_id, at::timestamptz as _airbyte_extracted_at, raw, name, data::jsonb, version
from (
    values
    ('r1', '2024-01-01', 'a', '{"id": 1}', 1), ('r2', '2024-01-02', 'a', '{"id": 1}', 3),
    ('r3', '2024-01-03', 'a', '{"id": 1}', 2), ('r4', '2024-01-01', 'b', '{"id": null}', 1),
    ('r5', '2024-01-01', null, '{"id": 1}', 1), ('r6', '2024-01-01', null, '{"id": 1}', 1)
) as given (raw, at, name, data, version)
"""


@pytest.fixture
def staged(database):
    """The (raw id, record id) that a staging model keeps of the table above, for a key."""

    def run(*key: tuple[str, ...], declared: bool = True, deduplicated: bool = False, cursor: tuple[str, ...] = ()):
        keys = (CandidateKey(columns=key, is_declared=declared, duplicates=0, evidence=""),) if key else ()
        types = {"raw": "string", "name": "string", "data": "object", "version": "integer"}
        columns = tuple(
            ColumnProfile(path=(name,), declared_type=kind, observed_type=kind, null_ratio=0, distinct_ratio=1)
            for name, kind in types.items()
        )
        stream = StreamProfile(
            source="shop", stream="things", table="things", row_count=6, columns=columns, keys=keys, cursor=cursor
        )
        plan = plan_models(
            SampleProfile(streams=(stream,)), (), deduplicated={("shop", "things")} if deduplicated else ()
        )
        text = render(plan).files["models/staging/shop/stg_shop__things.sql"]
        query = expand(text, {("shop", "things"): ("raw", "things")})
        with psycopg.connect(database) as connection:
            connection.execute("create schema raw")
            connection.execute(TABLE)
            found = connection.execute(
                f"select raw, _source_record_id from ({query}) as staged order by raw"
            ).fetchall()
            connection.rollback()
        return dict(found)

    return run


def test_a_declared_key_keeps_the_newest_and_every_row_without_a_key(staged):
    assert staged(("name",)) == {"r3": "a", "r4": "b", "r5": "r5", "r6": "r6"}


def test_the_cursor_decides_what_is_newest(staged):
    assert staged(("name",), cursor=("version",)) == {"r2": "a", "r4": "b", "r5": "r5", "r6": "r6"}


def test_a_key_of_several_columns_is_one_text_that_cannot_be_mistaken(staged):
    assert staged(("name",), ("data", "id")) == {"r3": '["a", "1"]', "r4": "r4", "r5": "r5", "r6": "r6"}


def test_a_whole_json_column_is_compared_as_text(staged):
    assert staged(("data",)) == {"r4": '{"id": null}', "r3": '{"id": 1}'}


def test_an_inferred_key_drops_nothing_and_record_ids_stay_distinct(staged):
    found = staged(("name",), declared=False)
    assert found == {"r1": "r1", "r2": "r2", "r3": "a", "r4": "b", "r5": "r5", "r6": "r6"}


def test_without_a_key_the_raw_row_is_the_record(staged):
    assert staged() == {f"r{place}": f"r{place}" for place in range(1, 7)}


def test_what_airbyte_deduplicated_is_taken_as_it_is(staged):
    assert len(staged(("name",), deduplicated=True)) == 6
