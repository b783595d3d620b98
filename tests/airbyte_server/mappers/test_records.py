"""Mappers on schemas and records, without a server."""

import hashlib
import pickle
from decimal import Decimal

import pytest
from airbyte_server.errors import RefusedError
from airbyte_server.loader.decoding import OUT_OF_RANGE
from airbyte_server.mappers import RecordMapper, Shape, check_shape, map_shape, parse_mappers, with_ids

PROPERTIES = {name: {"type": ["null", "integer"]} for name in ("id", "email", "updated_at", "plan")}
SHAPE = Shape(PROPERTIES, [["id"]], ["updated_at"])


def hashing(field, method="SHA-256", suffix="_hashed"):
    settings = {"targetField": field, "method": method, "fieldNameSuffix": suffix}
    return {"type": "hashing", "mapperConfiguration": settings}


def renaming(old, new):
    return {"type": "field-renaming", "mapperConfiguration": {"originalFieldName": old, "newFieldName": new}}


def filtering(field):
    return {"type": "field-filtering", "mapperConfiguration": {"targetField": field}}


def equal(field, value):
    return {"type": "EQUAL", "fieldName": field, "comparisonValue": value}


def none_of(*conditions):
    return {"type": "NOT", "conditions": list(conditions)}


def rows(conditions):
    return {"type": "row-filtering", "mapperConfiguration": {"conditions": conditions}}


def mapped(data, *mappers, properties=PROPERTIES):
    mapper = RecordMapper.of(parse_mappers("users", mappers), properties)
    return pickle.loads(pickle.dumps(mapper))(data)


def checked(*mappers, is_keyed=True):
    return check_shape("users", SHAPE, parse_mappers("users", mappers), is_keyed=is_keyed)


@pytest.mark.parametrize(
    ("method", "digest"),
    [
        ("MD5", "0cbc6611f5540bd0809a388dc95a615b"),
        ("SHA-1", "640ab2bae07bedc4c163f679a746f7ab7fb5d1fa"),
        ("SHA-224", "3606346815fd4d491a92649905a40da025d8cf15f095136b19f37923"),
        ("SHA-256", "532eaabd9574880dbf76b9b8cc00832c20a6ec113d682299550d7a6e0f345e25"),
        ("SHA-384", hashlib.sha384(b"Test").hexdigest()),
        ("SHA-512", hashlib.sha512(b"Test").hexdigest()),
    ],
)
def test_a_hashed_field_gives_way_to_its_digest(method, digest):
    assert mapped({"id": 1, "email": "Test"}, hashing("email", method)) == {"id": 1, "email_hashed": digest}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        (1.5, "1.5"),
        (True, "true"),
        (Decimal("12345678901234567890.5"), "12345678901234567890.5"),
        ({"b": 1, "a": [None, "x"]}, '{"a":[null,"x"],"b":1}'),
        ("", ""),
        ("straße", "straße"),
    ],
    ids=["integer", "fraction", "boolean", "many digits", "object", "empty", "letters"],
)
def test_what_is_hashed_is_the_text_of_the_value(value, text):
    assert mapped({"email": value}, hashing("email", suffix="_x")) == {
        "email_x": hashlib.sha256(text.encode()).hexdigest()
    }


def test_null_stays_null_and_what_is_absent_stays_absent():
    assert mapped({"email": None}, hashing("email")) == {"email_hashed": None}
    assert mapped({"id": 1}, hashing("email"), renaming("plan", "tier"), filtering("updated_at")) == {"id": 1}


def test_what_cannot_be_hashed_never_passes_in_clear():
    deep = "x"
    for _ in range(2000):
        deep = [deep]
    parsed = parse_mappers("users", [hashing("email")])
    for value in (OUT_OF_RANGE, {"a": [OUT_OF_RANGE]}, deep):
        assert RecordMapper.of(parsed, PROPERTIES)({"email": value}) == {"email_hashed": OUT_OF_RANGE}


def test_mappers_apply_in_order_to_records_and_schema_alike():
    mappers = [renaming("email", "mail"), hashing("mail", suffix=""), renaming("plan", "email"), filtering("id")]
    data = mapped({"id": 1, "email": "a@b.c", "plan": "pro", "updated_at": 3}, *mappers)
    assert data == {"mail": hashlib.sha256(b"a@b.c").hexdigest(), "email": "pro", "updated_at": 3}
    shape = checked(*mappers, is_keyed=False)
    assert list(shape.properties) == ["mail", "updated_at", "email"]
    assert shape.properties["mail"] == {"type": ["null", "string"]}
    assert shape.properties["email"] == PROPERTIES["plan"]


def test_a_field_of_the_record_that_nobody_planned_does_not_pass_as_the_mappers():
    assert mapped({"id": 1, "mail": "raw"}, renaming("email", "mail")) == {"id": 1}
    assert mapped({"email": "x", "email_hashed": "raw"}, hashing("email"))["email_hashed"] != "raw"


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        (equal("plan", "pro"), ["pro"]),
        (equal("plan", "7"), [7]),
        (equal("plan", "true"), [True]),
        (equal("plan", "null"), [None]),
        (none_of(equal("plan", "pro")), [7, True, None, "absent"]),
        (none_of(equal("plan", "pro"), equal("plan", "7")), [True, None, "absent"]),
        (none_of(none_of(equal("plan", "pro"))), ["pro"]),
    ],
    ids=["text", "number", "boolean", "null", "not", "none of", "not not"],
)
def test_only_rows_that_meet_the_condition_stay(condition, kept):
    records = [{"plan": value} for value in ("pro", 7, True, None)] + [{}]
    left = [record for record in records if mapped(dict(record), rows(condition)) is not None]
    assert [record.get("plan", "absent") for record in left] == kept


def test_key_and_cursor_follow_a_rename_and_a_hashed_key_stays_a_key():
    shape = checked(renaming("id", "user_id"), renaming("updated_at", "changed_at"))
    assert (shape.primary_key, shape.cursor) == ([["user_id"]], ["changed_at"])
    assert checked(hashing("id")).primary_key == [["id_hashed"]]


REFUSED = {
    "unknown kind": ([{"type": "shuffling"}], "Mapper 1 (shuffling) of stream 'users' does not run here"),
    "encryption": ([{"type": "encryption", "mapperConfiguration": {"key": "hunter2"}}], "does not run here; use"),
    "no kind": ([{"mapperConfiguration": {}}], "does not run here"),
    "MD2": ([hashing("email", "MD2")], "the method 'MD2' does not run here; use MD5, SHA-1"),
    "no settings": ([{"type": "hashing"}], "needs a mapperConfiguration"),
    "no field": ([{"type": "field-filtering", "mapperConfiguration": {}}], "it needs targetField, a text"),
    "id": ([{**filtering("email"), "id": "first"}], "its id is no UUID"),
    "missing field": ([filtering("ghost")], "no top-level field 'ghost'"),
    "used up": ([filtering("email"), hashing("email")], "Mapper 2 (hashing) of stream 'users' is refused: there is no"),
    "one name": ([renaming("email", "plan")], "field 'plan' is there already"),
    "hashed onto another": ([renaming("plan", "email_hashed"), hashing("email")], "'email_hashed' is there already"),
    "key goes": ([filtering("id")], "takes away a key"),
    "cursor goes": ([filtering("updated_at")], "takes away a key or the cursor"),
    "cursor hashed": ([hashing("updated_at")], "'updated_at' is the cursor"),
    "row filter's field": ([rows(equal("ghost", "1"))], "no top-level field 'ghost'"),
    "AND": ([rows({"type": "AND", "conditions": [equal("plan", "1")]})], "its conditions are {type: EQUAL"),
    "empty NOT": ([rows(none_of())], "its conditions are"),
    "no condition": ([rows(None)], "its conditions are"),
}  # fmt: skip


@pytest.mark.parametrize(("mappers", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_run_is_refused_with_the_reason(mappers, sentence):
    with pytest.raises(RefusedError) as refused:
        checked(*mappers)
    assert sentence in refused.value.sentence
    assert "hunter2" not in refused.value.sentence


def test_a_mode_without_a_key_may_lose_key_and_cursor():
    shape = checked(filtering("id"), hashing("updated_at"), is_keyed=False)
    assert (list(shape.primary_key), list(shape.cursor)) == ([], ["updated_at_hashed"])


def test_a_field_that_the_source_has_lost_stops_only_what_would_empty_the_table():
    gone = Shape({"id": {}, "plan": {}})
    parsed = parse_mappers("users", [hashing("email"), filtering("updated_at"), renaming("plan", "tier")])
    assert list(map_shape("users", gone, parsed).properties) == ["id", "tier"]
    with pytest.raises(RefusedError, match=r"row-filtering.*no top-level field 'email'"):
        map_shape("users", gone, parse_mappers("users", [rows(equal("email", "x"))]))
    taken = Shape({**PROPERTIES, "email_hashed": {}})
    with pytest.raises(RefusedError, match="'email_hashed' is there already"):
        map_shape("users", taken, parse_mappers("users", [hashing("email")]))


def test_ids_are_the_same_each_time_and_differ_between_mappers():
    mappers = [filtering("email"), filtering("plan"), {**hashing("id"), "id": "6a0bb25d-5828-4b8b-8b94-4a2a4ad3f4a1"}]
    first = with_ids("users", mappers)
    assert first == with_ids("users", mappers) == with_ids("users", first)
    assert len({mapper["id"] for mapper in first}) == 3
    assert first[2]["id"] == "6a0bb25d-5828-4b8b-8b94-4a2a4ad3f4a1"
    assert with_ids("users", mappers[1:])[0] == first[1]
    assert with_ids("users", mappers[:1] * 2)[0]["id"] != with_ids("users", mappers[:1] * 2)[1]["id"]
    assert [set(mapper) for mapper in first] == [{"id", "type", "mapperConfiguration"}] * 3
