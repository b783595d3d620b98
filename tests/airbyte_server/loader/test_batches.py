"""Records that are made into rows many at a time are the rows that they would be one by one."""

import json
from decimal import Decimal

import pytest
from airbyte_server.errors import PermanentError
from airbyte_server.loader import temporal
from airbyte_server.loader.batches import Records, read_batches
from airbyte_server.loader.columns import columns_of
from airbyte_server.loader.decoding import OUT_OF_RANGE, NotJsonError, decode, decode_all
from airbyte_server.loader.rows import RowWriter
from hypothesis import given, settings
from hypothesis import strategies as st

KINDS = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object"},
    "array": {"type": "array"},
    "json": {"type": ["string", "integer", "null"]},
    "date": {"type": "string", "format": "date"},
    "timestamptz": {"type": "string", "format": "date-time"},
    "timestamp": {"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"},
    "timetz": {"type": "string", "format": "time"},
    "time": {"type": "string", "format": "time", "airbyte_type": "time_without_timezone"},
}
SCHEMA = {"type": "object", "properties": KINDS}
COLUMNS = columns_of(SCHEMA)

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8) | st.sampled_from(
    ["\\N", "\\.", "a\tb\nc\r\\d", "\r", ",\n,", "5", "2024-02-30", "Zoë 🎁"]
)
integers = st.integers(-(2**63), 2**64 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
nested = st.recursive(
    st.none() | st.booleans() | integers | floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
zones = st.sampled_from(["", "Z", "+00:00", "+02:00", "-11:30", "+15:59", "+16:00", "-23:59", "+0200", " UTC"])
fractions = st.sampled_from(["", ".5", ".12", ".123", ".1234", ".12345", ".123456", ".1234567"])
clocks = st.builds("{}{}".format, st.sampled_from(["00:00:00", "23:59:59", "12:30:60", "24:00:00"]), fractions)
dates = st.sampled_from(["2024-02-29", "2023-02-29", "0001-01-01", "9999-12-31", "0000-01-01", "2024-W01-1"])
moments = st.builds("{}{}{}{}".format, dates, st.sampled_from(["T", " ", "x"]), clocks, zones) | dates
times = st.builds("{}{}".format, clocks, zones)
USUAL = {
    "string": texts,
    "number": integers | floats,
    "integer": st.integers(-(2**63), 2**63 - 1) | integers,
    "boolean": st.booleans(),
    "object": st.dictionaries(texts, nested, max_size=3),
    "array": st.lists(nested, max_size=3),
    "json": nested,
    "date": dates,
    "timestamptz": moments,
    "timestamp": moments,
    "timetz": times,
    "time": times,
}
strange = nested | moments | times | st.just(Decimal("1.23456789012345678901")) | st.just(OUT_OF_RANGE)


@st.composite
def many_records(draw):
    """Columns whose values are alike, as real ones are, now and then with gaps or something else in between."""
    count = draw(st.integers(1, 6))
    records = [{} for _ in range(count)]
    for kind, usual in draw(st.lists(st.sampled_from(sorted(USUAL.items())), min_size=1, unique_by=lambda one: one[0])):
        values = draw(st.sampled_from([usual, st.none() | usual, usual | strange]))
        is_sparse = draw(st.booleans())
        for record in records:
            if not (is_sparse and draw(st.booleans())):
                record[kind] = draw(values)
    return records


def fields_of(rows):
    assert rows.endswith("\n")
    return [line.split("\t") for line in rows[:-1].split("\n")]


def meaning(kind, field):
    """What PostgreSQL makes of a field, as far as two spellings of it may differ."""
    if field == "\\N":
        return None
    match kind:
        case "number" | "integer":
            return Decimal(field)
        case "object" | "array" | "json":
            return json.loads(field.replace("\\\\", "\\"), parse_float=Decimal)
        case "string" | "boolean":
            return field
        case _:
            return getattr(temporal, f"as_{kind}")(field)


@settings(max_examples=100, deadline=None)
@given(records=many_records(), start=st.integers(0, 253_402_300_000_000))
def test_a_block_is_its_lines(records, start):
    emitted_at = [start + place // 2 * 700 for place in range(len(records))]
    keys = COLUMNS[2:4]
    one_by_one = RowWriter(COLUMNS, sync_id=7, generation_id=3, keys=keys)
    together = RowWriter(COLUMNS, sync_id=7, generation_id=3, keys=keys)
    together.row_id_prefix = one_by_one.row_id_prefix
    lines = [one_by_one.line(data, moment) for data, moment in zip(records, emitted_at, strict=True)]
    found = fields_of(together.block(records, emitted_at).decode())
    for expected, row in zip(fields_of("".join(lines)), found, strict=True):
        assert row[:4] == expected[:4]
        for column, mine, plain in zip(COLUMNS, row[4:], expected[4:], strict=True):
            assert meaning(column.kind, mine) == meaning(column.kind, plain), column.kind
    assert (together.null_keys, together.unknown_fields) == (one_by_one.null_keys, one_by_one.unknown_fields)
    assert together.line({}, 1) == one_by_one.line({}, 1)


numerals = st.from_regex(r"-?(0|[1-9][0-9]{0,21})(\.[0-9]{1,22})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
documents = st.lists(
    st.builds('"{}"'.format, numerals)
    | numerals
    | st.sampled_from(["5e-324", "-1E-400", "1e400", '"27ac435e-7a97-463e-4643-564a12b9a8e-1234"', '"\\u0000a"', '"é"'])
)


@settings(max_examples=100, deadline=None)
@given(lines=st.lists(documents.map(lambda items: f"[{','.join(items)}]".encode()), min_size=1, max_size=4))
def test_no_digit_is_lost_in_lines_that_are_read_together(lines):
    together = decode_all(lines)
    assert together == [decode(line) for line in lines]
    for line, values in zip(lines, together, strict=True):
        for sent, value in zip(json.loads(line, parse_float=Decimal, parse_int=Decimal), values, strict=True):
            if isinstance(sent, Decimal) and value is not OUT_OF_RANGE:
                assert Decimal(repr(value) if isinstance(value, float) else value) == sent


def test_two_lines_that_only_together_are_json_are_refused():
    with pytest.raises(NotJsonError):
        decode_all([b'{"a":[1', b"2]}", b"{}"])


SHAPES = {
    "date": ["2024-02-29", "0001-01-01", "9999-12-31"],
    "timestamptz": ["2024-01-02T03:04:05Z", "2024-01-02 03:04:05.5", "2024-01-02T03:04:05.123456+05:30", "0001-01-01"],
    "timestamp": ["2024-01-02T03:04:05", "2024-01-02 03:04:05.123456", "9999-12-31T23:59:59.999999"],
    "timetz": ["03:04:05Z", "03:04:05.25", "03:04:05-11:30", "23:59:59.999999+15:59"],
    "time": ["03:04:05", "23:59:59.999999"],
    "number": [1e300, 5e-324, -0.1, 12345678901234567, 1e22],
    "json": ["a\\b\n\t", 5, {"q": 'a"b\\'}, [], True],
    "string": ["\\N", "a\tb\r\nc", "\\.", "🎁"],
}  # fmt: skip


def test_postgresql_reads_both_alike(warehouse, messages):
    records = [{kind: values[place % len(values)] for kind, values in SHAPES.items()} for place in range(20)]
    lines = [messages.record("items", data).strip() for data in records]
    warehouse.load(warehouse.target(json_schema=SCHEMA, table="plain"), lines)
    outcome = warehouse.loader(warehouse.target(json_schema=SCHEMA, table="together")).load_batches([lines])
    assert outcome[(None, "items")].rows_written == 20
    assert outcome[(None, "items")].bytes_emitted == sum(len(line) + 1 for line in lines)
    plain, together = (
        warehouse.query(f"select to_jsonb(t) - '_airbyte_raw_id' - '_airbyte_meta' from tenant_acme.{table} t"
                        " order by _airbyte_raw_id") for table in ("plain", "together")
    )  # fmt: skip
    assert plain == together
    assert len(together) == 20


def test_streams_in_turn_and_states_between_keep_their_order(messages):
    lines = []
    for number in range(60):
        lines.append(messages.record("ab"[number % 2 if number < 40 else 0], {"id": number}, number))
        if number == 29:
            lines.append(messages.state("a", 29))
    found = list(read_batches([[line.strip() for line in lines], []]))
    told = [
        (item.key[1], [data["id"] for data in item.data]) if isinstance(item, Records) else item[2]["type"]
        for item in found
    ]
    assert told == [
        ("a", list(range(0, 30, 2))),
        ("b", list(range(1, 30, 2))),
        "STATE",
        ("a", [*range(30, 40, 2), *range(40, 60)]),
        ("b", list(range(31, 40, 2))),
    ]
    sizes = sum(item.size if isinstance(item, Records) else item[1] for item in found)
    assert sizes == sum(map(len, lines))


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"{broken", id="no JSON"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b'{"type":5}', id="no type"),
        pytest.param(b'{"type":"RECORD","record":{"stream":"items"}}', id="no data"),
        pytest.param(b'{"type":"RECORD","record":{"stream":"other","data":{},"emitted_at":1}}', id="no such stream"),
    ],
)
def test_a_bad_line_among_good_ones_is_named_and_rows_before_it_are_kept(warehouse, messages, bad):
    lines = [messages.record("items", {"id": number}).strip() for number in range(20)]
    state = messages.state("items", 19).strip()
    with pytest.raises(PermanentError, match="Line 22"):
        warehouse.loader(warehouse.deduped()).load_batches([[*lines, state, bad, *lines]])
    assert warehouse.count("shop_items") == 20
    assert [state["stream"]["stream_state"]["cursor"] for state in warehouse.states] == [19]


def test_what_the_source_changed_itself_is_kept(warehouse, messages):
    changes = [{"field": "name", "change": "TRUNCATED", "reason": "SOURCE_FIELD_SIZE_LIMITATION"}]
    lines = [messages.record("items", {"id": number}, meta={"changes": changes if number == 9 else []}).strip()
             for number in range(20)]  # fmt: skip
    warehouse.loader(warehouse.target(), sync_id=3).load_batches([lines])
    found = warehouse.query("select id, _airbyte_meta -> 'changes' from tenant_acme.shop_items order by id")
    assert found == [(number, changes if number == 9 else []) for number in range(20)]


def test_an_upload_that_fails_fails_the_load(warehouse, messages):
    def batches():
        yield [messages.record("items", {"id": 1, "name": "z" * 5_000_000}).strip()]
        warehouse.query("drop schema airbyte_internal cascade")
        yield [messages.record("items", {"id": 2, "name": "z" * 5_000_000}).strip()]

    with pytest.raises(PermanentError, match="does not exist"):
        warehouse.loader(warehouse.target()).load_batches(batches())


def test_rows_under_way_hold_up_neither_a_state_nor_a_streams_end(warehouse, messages):
    counts = []

    def batches():
        for number in range(4):
            yield [messages.record("items", {"id": number, "name": "z" * 4_500_000}).strip()]
            yield [messages.state("items", number).strip()]
            counts.append((len(warehouse.states), warehouse.count("shop_items")))
        yield [messages.record("items", {"id": 4, "name": "z" * 4_500_000}).strip()]
        yield [messages.status("items", "COMPLETE").strip()]
        counts.append(warehouse.count("shop_items"))

    warehouse.loader(warehouse.deduped(), checkpoint_rows=1).load_batches(batches())
    assert counts == [(1, 1), (2, 2), (3, 3), (4, 4), 5]
