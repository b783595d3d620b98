"""Whatever a source sends is in the table as it was, or is NULL and noted; no record is ever lost."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

KINDS = {
    "string": {"type": "string"},
    "number": {"type": ["null", "number"]},
    "integer": {"type": ["integer", "null"]},
    "boolean": {"type": "boolean"},
    "object": {"type": "object", "properties": {"a": {"type": "string"}}},
    "array": {"type": "array"},
    "union": {"type": ["string", "integer", "null"]},
    "untyped": {},
    "date": {"type": "string", "format": "date"},
    "moment": {"type": "string", "format": "date-time"},
    "local": {"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"},
    "clock": {"type": "string", "format": "time"},
    "local_clock": {"type": "string", "format": "time", "airbyte_type": "time_without_timezone"},
}
SCHEMA = {"type": "object", "properties": KINDS}

texts = st.text(st.characters(codec=None), max_size=12) | st.sampled_from(
    ["\\N", "\\.", "a\tb\nc\r\\d", "\x00", "é\u2028", "5", "5.50", "1e3", "true", "{}", "2024-02-30", "infinity"]
)
moments = st.datetimes(timezones=st.none() | st.timezones()).map(lambda value: value.isoformat())
times = st.times().map(lambda value: value.isoformat())
decimals = st.decimals(-(10**40), 10**40, allow_nan=False, places=20) | st.decimals(-(10**30), 10**30, places=0)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | decimals
scalars = st.none() | st.booleans() | numbers | texts | moments | times | st.dates().map(str)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
records = st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(KINDS, values)), min_size=1, max_size=40)


def as_json(value):
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{as_json(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(as_json, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


def as_line(data):
    """The record as a connector in any language may print it: all digits, half surrogates escaped."""
    return f'{{"type":"RECORD","record":{{"stream":"items","emitted_at":1,"data":{as_json(data)}}}}}\n'.encode()


def cleaned(value):
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    if isinstance(value, dict):
        return {cleaned(name): cleaned(item) for name, item in value.items()}
    return Decimal(repr(value)) if isinstance(value, float) else value


def same(kind, sent, stored):
    sent = cleaned(sent)
    match kind:
        case "string":
            return stored == sent if isinstance(sent, str) else json.loads(stored, parse_float=Decimal) == sent
        case "number" | "integer":
            return not isinstance(sent, bool) and stored == Decimal(sent)
        case "moment":
            parsed = datetime.fromisoformat(sent)
            parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
            return datetime.fromisoformat(stored) == parsed
        case "local":
            return datetime.fromisoformat(stored) == datetime.fromisoformat(sent).replace(tzinfo=None)
        case "date":
            return stored == datetime.fromisoformat(sent).date().isoformat()
        case "clock" | "local_clock":
            return sent.startswith(stored.removesuffix("+00").rstrip("0").rstrip(":"))
    return type(stored) is type(sent) and stored == sent if isinstance(sent, bool) else stored == sent


def stored_rows(warehouse):
    query = "select to_jsonb(t)::text from tenant_acme.shop_items t order by _airbyte_raw_id"
    return [json.loads(row, parse_float=Decimal) for (row,) in warehouse.query(query)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=records)
def test_every_value_is_kept_or_noted(warehouse, sent):
    outcome = warehouse.load(warehouse.target(json_schema=SCHEMA), map(as_line, sent))["items"]
    stored = stored_rows(warehouse)
    assert outcome.rows_written == len(stored) == len(sent)
    for record, row in zip(sent, stored, strict=True):
        noted = {change["field"]: change for change in row["_airbyte_meta"]["changes"]}
        for field in KINDS:
            value = record.get(field)
            if value is None:
                assert row[field] is None
                assert field not in noted
            elif row[field] is None and not (field in ("union", "untyped") and value is None):
                assert noted[field]["change"] == "NULLED"
            else:
                assert same(field, value, row[field]), (field, value, row[field])
                assert field not in noted


CASES = [
    ("integer", 9223372036854775807, 9223372036854775807),
    ("integer", "42", 42),
    ("integer", 5.0, 5),
    ("integer", -3.053835765754387e16, -30538357657543870),
    ("number", "1.50", Decimal("1.50")),
    ("number", 18446744073709551616, 18446744073709551616),
    ("number", Decimal("0.12345678901234567890123"), Decimal("0.12345678901234567890123")),
    ("union", Decimal("12345678901234567890.5"), Decimal("12345678901234567890.5")),
    ("string", True, "true"),
    ("string", {"a": [1]}, '{"a":[1]}'),
    ("moment", "2024-01-02 03:04:05 UTC", "2024-01-02T03:04:05+00:00"),
    ("moment", "2024-01-02T03:04:05.123+0200", "2024-01-02T01:04:05.123+00:00"),
    ("moment", "2024/1/2", "2024-01-02T00:00:00+00:00"),
    ("moment", "2024-01-02T00:00:00+23:00", "2024-01-01T01:00:00+00:00"),
    ("local", "2024-01-02T03:04:05+02:00", "2024-01-02T03:04:05"),
    ("date", "2024-01-02T03:04:05Z", "2024-01-02"),
    ("date", "02 Jan 2024", None),
    ("clock", "03:04:05Z", "03:04:05+00"),
    ("integer", 9223372036854775808, None),
    ("integer", 5.5, None),
    ("integer", True, None),
    ("boolean", "true", None),
    ("object", [1], None),
    ("array", {"a": 1}, None),
    ("moment", 1700000000, None),
    ("moment", "0000-00-00 00:00:00", None),
    ("number", Decimal("1e200000"), None),
    ("untyped", Decimal("1e200000"), None),
]


def test_a_value_becomes_what_its_column_holds(warehouse):
    lines = [as_line({kind: value}) for kind, value, _ in CASES]
    warehouse.load(warehouse.target(json_schema=SCHEMA), lines)
    for (kind, value, expected), row in zip(CASES, stored_rows(warehouse), strict=True):
        assert row[kind] == expected, (kind, value)
        noted = [change["field"] for change in row["_airbyte_meta"]["changes"]]
        assert noted == ([kind] if expected is None else []), (kind, value)


def test_a_too_large_number_is_noted_as_such(warehouse, messages):
    warehouse.load(
        warehouse.target(json_schema=SCHEMA),
        [messages.record("items", {"integer": 2**63, "number": "x"}, meta={"changes": [{"field": "q"}]})],
        sync_id=77,
    )
    (row,) = stored_rows(warehouse)
    assert row["_airbyte_meta"] == {
        "sync_id": 77,
        "changes": [
            {"field": "q"},
            {"field": "number", "change": "NULLED", "reason": "DESTINATION_SERIALIZATION_ERROR"},
            {"field": "integer", "change": "NULLED", "reason": "DESTINATION_FIELD_SIZE_LIMITATION"},
        ],
    }


def test_nan_and_half_a_surrogate_do_not_stop_a_load(warehouse):
    line = b'{"type":"RECORD","record":{"stream":"items","emitted_at":1,"data":{"number":NaN,"string":"a\\ud800b"}}}'
    warehouse.load(warehouse.target(json_schema=SCHEMA), [line])
    (row,) = stored_rows(warehouse)
    assert (row["number"], row["string"]) == (None, "a\ufffdb")
    as_java_writes_it = line.replace(b"\\ud800", b"\xed\xa0\x80")
    warehouse.load(warehouse.target(json_schema=SCHEMA), [as_java_writes_it])
    assert [row["string"] for row in stored_rows(warehouse)] == ["a\ufffdb"]


def test_columns_are_airbytes_and_in_schema_order(warehouse, messages):
    schema = {"properties": {"z z": {"type": "string"}, "A": {"type": "number"}, "b": {"oneOf": [{"type": "object"}]}}}
    warehouse.load(
        warehouse.target(json_schema=schema, generation_id=4),
        [messages.record("items", {"z z": "v"}, 1_700_000_000_123)],
    )
    columns = warehouse.query(
        "select column_name, data_type, is_nullable from information_schema.columns"
        " where table_name = 'shop_items' order by ordinal_position"
    )
    assert columns == [
        ("_airbyte_raw_id", "character varying", "NO"),
        ("_airbyte_extracted_at", "timestamp with time zone", "NO"),
        ("_airbyte_meta", "jsonb", "NO"),
        ("_airbyte_generation_id", "bigint", "YES"),
        ("z_z", "character varying", "YES"),
        ("A", "numeric", "YES"),
        ("b", "jsonb", "YES"),
    ]
    assert warehouse.query("select _airbyte_generation_id, _airbyte_extracted_at, z_z from tenant_acme.shop_items") == [
        (4, datetime(2023, 11, 14, 22, 13, 20, 123000, UTC), "v")
    ]


def test_each_kind_of_field_has_airbytes_type(warehouse):
    warehouse.load(warehouse.target(json_schema=SCHEMA), [])
    query = """
        select attname, format_type(atttypid, atttypmod) from pg_attribute
        where attrelid = 'tenant_acme.shop_items'::regclass and attnum > 4 order by attnum
    """
    assert dict(warehouse.query(query)) == {
        "string": "character varying",
        "number": "numeric",
        "integer": "bigint",
        "boolean": "boolean",
        **dict.fromkeys(("object", "array", "union", "untyped"), "jsonb"),
        "date": "date",
        "moment": "timestamp with time zone",
        "local": "timestamp without time zone",
        "clock": "time with time zone",
        "local_clock": "time without time zone",
    }


def test_undeclared_fields_are_left_out_and_told(warehouse, messages):
    warehouse.load(warehouse.target(), [messages.record("items", {"id": 1, "secret_field": 2})])
    assert warehouse.logs == [("WARN", "Stream items has fields that its schema does not name: secret_field.")]
    assert warehouse.count("shop_items") == 1


@pytest.mark.parametrize("name", ["; drop schema", '"quoted"', "ünï 日本", "x" * 200, "%s %(a)s {0} {name}"])
def test_hostile_field_names_are_columns(warehouse, messages, name):
    target = warehouse.deduped(
        json_schema={"properties": {name: {"type": "integer"}, "o": {}}}, primary_key=[[name]], cursor=[name]
    )
    assert warehouse.load(target, [messages.record("items", {name: 1, "o": {name: 1}})] * 2)["items"].rows_written == 1


def test_values_are_not_in_errors(warehouse, messages):
    schema = {"properties": {f"c{number}": {"type": "string"} for number in range(2000)}}
    with pytest.raises(Exception, match="1600") as failure:
        warehouse.load(warehouse.target(json_schema=schema), [messages.record("items", {"c1": "hush"})])
    assert "hush" not in str(failure.value)
    assert not isinstance(failure.value, psycopg.Error)
