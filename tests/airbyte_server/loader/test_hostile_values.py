"""What no column can hold costs its value and a note of it, never a record and never the job."""

import json
from decimal import Decimal

import pytest
from airbyte_server.errors import PermanentError

SIZE, SERIALIZATION = "DESTINATION_FIELD_SIZE_LIMITATION", "DESTINATION_SERIALIZATION_ERROR"
TIMES = {"moment": {"format": "date-time"}, "day": {"format": "date"}, "clock": {"format": "time"}}
KINDS = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "whole": {"type": "integer"},
    "flag": {"type": "boolean"},
    "object": {"type": "object"},
    "array": {"type": "array"},
    "any": {},
    **{name: {"type": "string", **form} for name, form in TIMES.items()},
    "local": {"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"},
}
SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}, **KINDS}}


@pytest.fixture
def warehouse(emptied_warehouse):
    return emptied_warehouse


def nested(depth, opening="[", closing="]", core="1"):
    return opening * depth + core + closing * depth


STORED = "stored"
CASES = [
    # column, JSON as the connector writes it, why it is NULL or how it is stored
    ("whole", "9223372036854775808", SIZE),
    ("whole", "-9223372036854775809", SIZE),
    ("whole", "1e400", SIZE),
    ("whole", '"9223372036854775808"', SIZE),
    ("whole", "-9223372036854775808", STORED),
    ("number", "1" + "0" * 5000, STORED),
    ("number", "1e131072", SIZE),
    ("number", "1e-20000", SIZE),
    ("number", "NaN", SIZE),
    ("number", "-Infinity", SIZE),
    ("number", '"NaN"', SERIALIZATION),
    ("number", '"1e999999"', SIZE),
    ("text", "Infinity", SIZE),
    ("object", '{"a": [NaN]}', SIZE),
    ("array", "[1, Infinity]", SIZE),
    ("any", "NaN", SIZE),
    ("any", "1e200000", SIZE),
    ("moment", '"2024-02-30T00:00:00Z"', SERIALIZATION),
    ("moment", '"2024-13-01T00:00:00Z"', SERIALIZATION),
    ("moment", '"10000-01-01T00:00:00Z"', SERIALIZATION),
    ("moment", '"0044-03-15 BC"', SERIALIZATION),
    ("moment", '"-0044-03-15T00:00:00Z"', SERIALIZATION),
    ("moment", '"0001-01-01T00:00:00+14:00"', SERIALIZATION),
    ("moment", '"9999-12-31T23:59:59-14:00"', SERIALIZATION),
    ("moment", '"infinity"', SERIALIZATION),
    ("moment", '"now"', SERIALIZATION),
    ("moment", '"2024-01-01T00:00:00Z; drop"', SERIALIZATION),
    ("moment", "\"2024-01-01T00:00:00\\u0000Z\"", STORED),
    ("local", '"12024-01-01T00:00:00"', SERIALIZATION),
    ("day", '"2023-02-29"', SERIALIZATION),
    ("day", '"0000-00-00"', SERIALIZATION),
    ("day", '"+12024-01-01"', SERIALIZATION),
    ("clock", '"24:00:01"', SERIALIZATION),
    ("clock", '"12:00:00+25:00"', SERIALIZATION),
    ("flag", "2", SERIALIZATION),
    ("object", '"{}"', SERIALIZATION),
    ("text", nested(200), STORED),
    ("any", nested(200, '{"a":', "}"), STORED),
    ("any", nested(300), SIZE),
    ("array", nested(5_000), SIZE),
    ("object", '{"[": ' + nested(100_000) + ', "]": "\\"]["}', SIZE),
    ("text", nested(100_000, '{"a":', "}"), SIZE),
    ("text", '"\\u0000\\u0000"', STORED),
    ("text", '"half \\ud800"', STORED),
    ("any", '{"\\ud800\\u0000": "\\udfff"}', STORED),
]  # fmt: skip


def line(number, field, value):
    record = f'"stream":"items","emitted_at":{number},"data":{{"id":{number},"{field}":{value},"text2":"]}}"}}'
    return f'{{"type":"RECORD","record":{{{record}}}}}'.encode()


def target(warehouse, **more):
    schema = {"properties": {**SCHEMA["properties"], "text2": {"type": "string"}}}
    return warehouse.target(json_schema=schema, **more)


@pytest.mark.parametrize("at_once", [False, True], ids=["one-by-one", "at-once"])
def test_what_cannot_be_stored_is_null_and_noted_and_the_rest_is_kept(warehouse, at_once):
    lines = [line(number, field, value) for number, (field, value, _) in enumerate(CASES)]
    batches = [lines] if at_once else [[each] for each in lines]
    warehouse.loader(target(warehouse)).load_batches(batches)
    query = "select id, to_jsonb(t)::text from tenant_acme.shop_items t"
    rows = {number: json.loads(row, parse_float=Decimal, parse_int=Decimal) for number, row in warehouse.query(query)}
    assert rows.keys() == set(range(len(CASES)))
    for number, (field, value, expected) in enumerate(CASES):
        row, noted = rows[number], rows[number]["_airbyte_meta"]["changes"]
        assert row["text2"] == "]}"
        if expected == STORED:
            assert (row[field] is not None, noted) == (True, []), value[:80]
        else:
            found = [{"field": field, "change": "NULLED", "reason": expected}]
            assert (row[field], noted) == (None, found), (field, value[:80])


def test_what_the_source_nulled_itself_is_noted_beside(warehouse, messages):
    own = [{"field": "any", "change": "NULLED", "reason": "SOURCE_SERIALIZATION_ERROR"}]
    warehouse.load(target(warehouse), [messages.record("items", {"id": 1, "whole": 2**63}, meta={"changes": own})])
    ((changes,),) = warehouse.query("select _airbyte_meta -> 'changes' from tenant_acme.shop_items")
    assert changes == [*own, {"field": "whole", "change": "NULLED", "reason": SIZE}]


@pytest.mark.parametrize("depth", [5_000, 200_000])
def test_a_line_that_is_deep_and_broken_is_named(warehouse, depth):
    broken = line(1, "any", nested(depth))[:-1]
    with pytest.raises(PermanentError, match="Line 1 of the connector's output is not JSON"):
        warehouse.loader(target(warehouse)).load_batches([[broken]])


@pytest.mark.parametrize("has_table", [False, True], ids=["first", "later"])
def test_a_key_too_long_for_its_index_is_refused_in_words_and_changes_nothing(warehouse, messages, has_table):
    import random

    noise = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=9000))
    keyed = warehouse.deduped(primary_key=[["name"]], cursor=[])
    if has_table:
        warehouse.load(keyed, [messages.record("items", {"name": "short"})])
    with pytest.raises(PermanentError, match=r"too long for an index \(about 2,700 bytes\); choose other fields"):
        warehouse.load(
            keyed, [messages.record("items", {"name": "short too"}), messages.record("items", {"name": noise})]
        )
    assert warehouse.temporary_tables() == []
    if has_table:
        assert warehouse.rows(columns="name") == [("short",)]
