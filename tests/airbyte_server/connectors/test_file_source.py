"""Source `file`: what it finds, what it reads, and how it says that it cannot."""

import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from airbyte_server.connectors import KNOWN_CONNECTORS, ConnectorProgram, run_connector
from airbyte_server.errors import PermanentError


def write(folder, name, *records):
    path = folder / name
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def test_the_specification_asks_for_a_path(connector):
    run = connector.run("spec", {})
    (message,) = run.of("SPEC")
    assert message["spec"]["connectionSpecification"]["required"] == ["path"]
    assert KNOWN_CONNECTORS["file"].definition_id


def test_an_unknown_source_type_is_refused_by_name():
    with pytest.raises(PermanentError, match=r"cannot run here.*source_type='oracle'"):
        run_connector(ConnectorProgram(source_type="oracle", version="1"), "spec", {}, None, None, lambda line: None)


def test_a_configuration_without_a_path_is_a_sentence(connector):
    (message,) = connector.run("check", {"sourceType": "file"}).of("CONNECTION_STATUS")
    assert message["connectionStatus"]["status"] == "FAILED"
    assert "path" in message["connectionStatus"]["message"]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (None, "There is no such file or folder"),
        ({}, "The folder holds no file of"),
        ({"a.jsonl": b"{}\n", "a.csv": b"x\n1\n"}, "Two files would give one stream.*stream='a'"),
        ({"a.jsonl": b"{}\n{oops\n"}, r"A line is not JSON.*a\.jsonl', line=2"),
        ({"a.jsonl": b'{"x":1}\n\n[1]\n'}, r"A line is not a JSON object.*line=3"),
        ({"a.parquet": b"PAR1 but not really"}, r"not readable as Parquet.*a\.parquet"),
        ({"a.csv": b"x,y\n1,2,3\n"}, "more fields than the header.*line=2"),
        ({"a.csv": b"x,x\n1,2\n"}, "names a column twice"),
        ({"a.csv": b"x\n\xff\xfe\n"}, "not UTF-8"),
    ],
    ids=["missing", "empty", "twice", "broken", "array", "parquet", "wide-row", "header", "encoding"],
)
def test_what_cannot_be_read_is_named(connector, folder, files, sentence):
    for name, content in (files or {}).items():
        (folder / name).write_bytes(content)
    path = folder if files is not None else folder / "missing"
    run = connector.run("discover", {"path": str(path)})
    assert run.code == 1
    assert re.search(sentence, run.error), run.error


def test_a_broken_line_met_while_reading_ends_the_stream_as_incomplete(connector, folder):
    path = write(folder, "a.jsonl", {"id": 1}, {"id": 2})
    catalog = connector.configured(path=str(folder))
    path.write_bytes(path.read_bytes() + b'{"id": 3, "cut\n')
    run = connector.run("read", {"path": str(folder)}, catalog)
    assert (run.code, run.data, run.statuses) == (1, [{"id": 1}, {"id": 2}], ["STARTED", "INCOMPLETE"])
    assert "line=3" in run.error


def test_a_file_that_vanished_is_named(connector, folder):
    path = write(folder, "gone.jsonl", {"id": 1})
    write(folder, "stays.jsonl", {"id": 1})
    catalog = connector.configured(path=str(folder))
    path.unlink()
    run = connector.run("read", {"path": str(folder)}, catalog)
    assert (run.code, run.statuses) == (1, ["STARTED", "INCOMPLETE"])
    assert "The stream's file is gone" in run.error


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"streams":[{"name":"x"}]}', None], ids=str)
def test_a_bad_catalog_file_is_a_sentence(connector, folder, tmp_path, content):
    write(folder, "a.jsonl", {"id": 1})
    if content is not None:
        (tmp_path / "catalog.json").write_bytes(content)
    run = connector.run("check", {"path": str(folder), "catalog": str(tmp_path / "catalog.json")})
    assert run.of("CONNECTION_STATUS")[0]["connectionStatus"]["message"].startswith("The catalog file ")


def test_check_succeeds_on_readable_files(connector, folder):
    write(folder, "a.jsonl", {"id": 1})
    assert connector.run("check", {"path": [str(folder)]}).of("CONNECTION_STATUS")[0]["connectionStatus"] == {
        "status": "SUCCEEDED"
    }


@pytest.mark.parametrize(
    "stem", ["a b", "ünï 日本", "quo'te\"s", "x" * 200, "-rf", "%s{0}", "semi;colon", ".hidden.but listed"], ids=repr
)
def test_hostile_file_names_are_stream_names(connector, folder, stem):
    path = write(folder, f"{stem}.jsonl", {"id": 1})
    run = connector.read(path=[str(path)])
    assert [message["record"]["stream"] for message in run.of("RECORD")] == [stem]
    assert run.statuses == ["STARTED", "COMPLETE"]


def test_records_are_passed_on_to_the_digit(connector, folder):
    lines = b'{"a": 0.10, "b": 12345678901234567890123}\r\n\r\n{"a":"\\ud83d\\ude00"}'
    (folder / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + lines)
    run = connector.read(path=str(folder))
    records = [line for line in run.lines if b'"RECORD"' in line]
    assert b'"data":{"a": 0.10, "b": 12345678901234567890123},' in records[0]
    assert run.data[1] == {"a": "\U0001f600"}


def test_a_schema_is_inferred_from_all_records(connector, folder):
    write(
        folder,
        "a.jsonl",
        {"id": 1, "n": 1, "at": "2024-01-02T03:04:05Z", "on": "2024-01-02", "o": {"p": [{"q": True}]}, "mixed": 1},
        {"id": 2, "n": 1.5, "at": "2024-01-02T03:04:05.5+02:00", "on": None, "mixed": "x", "big": 2**70},
        {"id": 3, "local": "2024-01-02 03:04:05", "half": "2024-01-02"},
        {"id": 4, "half": "tomorrow"},
    )
    stream = connector.discover(path=str(folder))["a"]
    properties = stream["json_schema"]["properties"]
    moment = {"type": ["null", "string"], "format": "date-time"}
    assert properties == {
        "id": {"type": ["null", "integer"]},
        "n": {"type": ["null", "number"]},
        "at": {**moment, "airbyte_type": "timestamp_with_timezone"},
        "on": {"type": ["null", "string"], "format": "date"},
        "o": {
            "type": ["null", "object"],
            "properties": {
                "p": {
                    "type": ["null", "array"],
                    "items": {"type": ["null", "object"], "properties": {"q": {"type": ["null", "boolean"]}}},
                }
            },
        },
        "mixed": {"type": ["null", "integer", "string"]},
        "big": {"type": ["null", "number"]},
        "local": {**moment, "airbyte_type": "timestamp_without_timezone"},
        "half": {"type": ["null", "string"]},
    }
    assert (stream["supported_sync_modes"], stream["source_defined_cursor"]) == (["full_refresh"], False)


def test_csv_columns_get_types_only_if_every_value_has_them(connector, folder):
    (folder / "a.csv").write_text('id,zip,price,ok,"note, long",empty\n1,007,1.50,true,"a\nb",\n2,123,2,false,,\n')
    properties = connector.discover(path=str(folder))["a"]["json_schema"]["properties"]
    assert {name: schema["type"][1] for name, schema in properties.items()} == {
        "id": "integer",
        "zip": "string",
        "price": "number",
        "ok": "boolean",
        "note, long": "string",
        "empty": "string",
    }
    run = connector.read(path=str(folder))
    assert run.data == [
        {"id": 1, "zip": "007", "price": 1.5, "ok": True, "note, long": "a\nb", "empty": None},
        {"id": 2, "zip": "123", "price": 2, "ok": False, "note, long": None, "empty": None},
    ]
    assert b'"price":1.50' in b"".join(run.lines)


def test_parquet_types_and_values_are_kept(connector, folder):
    from datetime import UTC, date, datetime
    from decimal import Decimal

    table = pa.table(
        {
            "id": [1, 2],
            "amount": [Decimal("1.50"), None],
            "at": pa.array([datetime(2024, 1, 2, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
            "on": [date(2024, 1, 2), None],
            "tags": [["a"], []],
            "o": [{"x": 1.5}, None],
        }
    )
    pq.write_table(table, folder / "a.parquet")
    schema = connector.discover(path=str(folder))["a"]["json_schema"]["properties"]
    assert [schema[name]["type"][1] for name in table.column_names] == [
        "integer",
        "number",
        "string",
        "string",
        "array",
        "object",
    ]
    run = connector.read(path=str(folder))
    first, second = run.data
    assert first == {
        "id": 1,
        "amount": 1.5,
        "at": "2024-01-02T00:00:00+00:00",
        "on": "2024-01-02",
        "tags": ["a"],
        "o": {"x": 1.5},
    }
    assert second == {"id": 2, "amount": None, "at": None, "on": None, "tags": [], "o": None}


def test_an_empty_file_is_a_stream_without_records(connector, folder):
    (folder / "a.jsonl").touch()
    run = connector.read(path=str(folder))
    assert (run.code, run.data, run.statuses) == (0, [], ["STARTED", "COMPLETE"])


def test_most_records_stop_each_stream(connector, folder):
    for name in "ab":
        write(folder, f"{name}.jsonl", *({"id": n} for n in range(9)))
    assert len(connector.read(path=str(folder), max_records=3).data) == 6
