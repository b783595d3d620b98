"""A deduplicated table follows its stream's schema."""

import pytest
from airbyte_server.errors import PermanentError

KEY = {"id": {"type": "integer"}}


def schema(**properties):
    return {"properties": {**KEY, **properties}}


def test_a_new_column_is_added_and_an_old_one_dropped(warehouse, messages):
    warehouse.load(
        warehouse.deduped(json_schema=schema(old={"type": "string"})), [messages.record("items", {"id": 1, "old": "x"})]
    )
    warehouse.load(
        warehouse.deduped(json_schema=schema(new={"type": "string"})), [messages.record("items", {"id": 2, "new": "y"})]
    )
    assert warehouse.rows(columns="id, new") == [(1, None), (2, "y")]
    with pytest.raises(Exception, match="old"):
        warehouse.rows(columns="old")


@pytest.mark.parametrize(
    ("before", "after", "sent", "stored", "nulled"),
    [
        ("string", "integer", ["5", "x"], [5, None], [False, True]),
        ("number", "integer", [5.0, 5.5], [5, None], [False, True]),
        ("integer", "string", [5, 6], ["5", "6"], [False, False]),
        ("string", "object", ["a", "b"], ["a", "b"], [False, False]),
        ("object", "string", [{"a": 1}, {}], ['{"a": 1}', "{}"], [False, False]),
        ("integer", "number", [5, 2**62], [5, 2**62], [False, False]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_changed_type_keeps_what_fits(warehouse, messages, before, after, sent, stored, nulled):
    warehouse.load(
        warehouse.deduped(json_schema=schema(v={"type": before})),
        [messages.record("items", {"id": n, "v": value}) for n, value in enumerate(sent)],
    )
    warehouse.load(warehouse.deduped(json_schema=schema(v={"type": after})), [])
    rows = warehouse.rows(columns="id, v, _airbyte_meta -> 'changes'")
    assert [row[1] for row in rows] == stored
    assert [[change["field"] for change in row[2]] for row in rows] == [["v"] if one else [] for one in nulled]


def test_a_view_on_a_dropped_column_is_named(warehouse, messages):
    warehouse.load(warehouse.deduped(json_schema=schema(old={"type": "string"})), [messages.record("items", {"id": 1})])
    warehouse.query("create view tenant_acme.watching as select old from tenant_acme.shop_items")
    with pytest.raises(PermanentError, match=r"tenant_acme\.watching depends"):
        warehouse.load(warehouse.deduped(json_schema=schema()), [messages.record("items", {"id": 2})])
    assert warehouse.count("shop_items") == 1


@pytest.mark.parametrize("kind", ["table", "view"])
def test_what_is_not_an_airbyte_table_is_left_alone(warehouse, messages, kind):
    warehouse.query(f"create schema tenant_acme; create {kind} tenant_acme.shop_items as select 1 as id")
    for target in (warehouse.deduped(), warehouse.target()):
        with pytest.raises(PermanentError, match="not an Airbyte table"):
            warehouse.load(target, [messages.record("items", {"id": 2})])
    assert warehouse.rows(columns="id") == [(1,)]
