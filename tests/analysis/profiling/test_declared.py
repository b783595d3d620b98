import pytest

from analysis.profiling.declared import declared_columns, declared_type

CASES = [
    ({"type": "string"}, "string"),
    ({"type": ["null", "integer"]}, "integer"),
    ({"type": ["number", "integer", "null"]}, "number"),
    ({"type": "number", "airbyte_type": "integer"}, "integer"),
    ({"type": "string", "format": "date-time"}, "timestamptz"),
    ({"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"}, "timestamp"),
    ({"type": ["string", "null"], "format": "date"}, "date"),
    ({"type": "string", "format": "time"}, "time"),
    ({"type": "string", "format": "email"}, "string"),
    ({"type": ["string", "object"]}, "unknown"),
    ({"oneOf": [{"type": "string"}, {"type": "null"}]}, "string"),
    ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "unknown"),
    ({"properties": {"a": {}}}, "object"),
    ({}, "unknown"),
    ({"type": 7, "oneOf": "x"}, "unknown"),
]


@pytest.mark.parametrize(("schema", "expected"), CASES, ids=[str(case[0]) for case in CASES])
def test_a_property_has_the_type_of_its_raw_column(schema, expected):
    assert declared_type(schema) == expected


def test_nested_properties_and_items_are_declared_by_path():
    schema = {
        "properties": {
            "lines": {"type": "array", "items": {"properties": {"sku": {"type": "string"}}}},
            "user": {"type": "object", "properties": {"id": {"type": "integer"}}},
        }
    }
    assert set(declared_columns(schema)) == {
        ("lines",), ("lines", "[]"), ("lines", "[]", "sku"), ("user",), ("user", "id"),
    }  # fmt: skip


def test_a_raw_column_keeps_the_declaration_of_its_property():
    columns = declared_columns({"properties": {"campaign.id": {"type": "integer"}}}, ["campaign_id"])
    assert list(columns) == [("campaign_id",)]
