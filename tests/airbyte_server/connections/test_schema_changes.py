"""What becomes of a connection whose source changed, without a server."""

import pytest
from airbyte_server.connections import catalog
from airbyte_server.connections.schema_changes import adopt
from airbyte_server.connections.schema_differences import differences, summary

BEHAVIOURS = ("ignore", "disable_connection", "propagate_columns", "propagate_fully")


def stream(name, *fields, **more):
    return {
        "name": name,
        "json_schema": {"properties": {field: {"type": "string"} for field in fields}},
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_primary_key": [["id"]],
        "default_cursor_field": ["at"],
        **more,
    }


ORDERS = stream("orders", "id", "at", "total", "note")
VISITS = stream("visits", "page", source_defined_primary_key=[], supported_sync_modes=["full_refresh"])
KNOWN = [ORDERS, VISITS]
CHOSEN = catalog.choose_streams(KNOWN)


def names(streams):
    return [item["name"] for item in streams]


def fields(streams, name="orders"):
    return list(next(item for item in streams if item["name"] == name)["json_schema"]["properties"])


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_nothing_happens_where_nothing_changed(behaviour):
    adoption = adopt(behaviour, KNOWN, CHOSEN, list(reversed(KNOWN)))
    assert (names(adoption.synced), adoption.streams, adoption.notices) == (["orders", "visits"], CHOSEN, ())
    assert sorted(names(adoption.catalog)) == ["orders", "visits"]
    assert adoption.pause_reason is None


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_stream_that_names_no_field_says_nothing(behaviour):
    adoption = adopt(behaviour, KNOWN, CHOSEN, [stream("orders", default_cursor_field=[]), VISITS])
    assert (adoption.synced, adoption.catalog, adoption.pause_reason) == (CHOSEN, KNOWN, None)


CHANGED = [stream("orders", "id", "at", "total", "country"), stream("refunds", "id", "at")]


def test_changes_are_ignored_and_named():
    adoption = adopt("ignore", KNOWN, CHOSEN, CHANGED)
    assert adoption.catalog == KNOWN
    assert adoption.streams == CHOSEN
    assert names(adoption.synced) == ["orders"]
    assert "'country' of 'orders' is new" in adoption.notices[0]
    assert "no longer has stream 'visits'" in adoption.notices[1]


def test_columns_follow_and_streams_stay():
    adoption = adopt("propagate_columns", KNOWN, CHOSEN, CHANGED)
    assert fields(adoption.catalog) == ["id", "at", "total", "country"]
    assert names(adoption.catalog) == names(adoption.streams) == ["orders", "visits"]
    assert names(adoption.synced) == ["orders"]
    # What came is still new to a connection that takes in everything later, and what went may come back.
    later = adopt("propagate_fully", adoption.catalog, adoption.streams, [*CHANGED, VISITS])
    assert sorted(names(later.streams)) == ["orders", "refunds", "visits"]


def test_everything_follows():
    adoption = adopt("propagate_fully", KNOWN, CHOSEN, CHANGED)
    assert adoption.catalog == CHANGED
    assert names(adoption.streams) == names(adoption.synced) == ["orders", "refunds"]
    assert adoption.streams[1]["syncMode"] == "incremental_deduped_history"


def test_a_stream_that_was_left_out_stays_out():
    adoption = adopt("propagate_fully", KNOWN, CHOSEN[:1], [*KNOWN, CHANGED[1]])
    assert names(adoption.streams) == ["orders", "refunds"]


def test_any_change_pauses_a_connection_that_asks_for_it():
    adoption = adopt("disable_connection", KNOWN, CHOSEN, [*KNOWN, CHANGED[1]])
    assert adoption.pause_reason == (
        "The source's schema changed (stream 'refunds' is new): review it and make the connection active."
    )
    assert (adoption.catalog, adoption.streams, adoption.synced) == (KNOWN, CHOSEN, [])


BREAKING = {
    "key": (stream("orders", "at", "total"), "has lost its primary key id"),
    "cursor": (stream("orders", "id", "total"), "has lost its cursor at"),
    "another key": (
        stream("orders", "id", "at", "region", source_defined_primary_key=[["id"], ["region"]]),
        "has another primary key, id, region",
    ),
    "no increments": (
        stream("orders", "id", "at", supported_sync_modes=["full_refresh"]),
        "can no longer be read incrementally",
    ),
}


@pytest.mark.parametrize(("found", "sentence"), BREAKING.values(), ids=BREAKING)
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_breaking_change_pauses_every_connection(behaviour, found, sentence):
    adoption = adopt(behaviour, KNOWN, CHOSEN, [found, VISITS])
    assert sentence in (adoption.pause_reason or "")
    assert adoption.pause_reason.endswith("choose anew what is synced and make the connection active.")
    assert adoption.synced == []


def test_what_breaks_one_mode_does_not_break_another():
    chosen = catalog.accept_streams(KNOWN, [{"name": "orders", "syncMode": "full_refresh_overwrite"}])
    for found, _ in BREAKING.values():
        assert adopt("propagate_columns", KNOWN, chosen, [found]).pause_reason is None


def test_a_selection_stays_as_it_is_and_loses_only_what_is_gone():
    wanted = [{"fieldPath": ["id"]}, {"fieldPath": ["note"]}]
    request = {"name": "orders", "syncMode": "full_refresh_overwrite", "selectedFields": wanted}
    chosen = catalog.accept_streams(KNOWN, [request])
    adoption = adopt("propagate_columns", KNOWN, chosen, CHANGED)
    assert adoption.streams[0]["selectedFields"] == wanted[:1]
    targets = catalog.stream_targets(adoption.catalog, adoption.synced, {("orders", ""): "raw"}, "", {})
    assert list(targets[0].json_schema["properties"]) == ["id"]
    nothing_left = [{**request, "selectedFields": wanted[1:]}]
    assert "lost all its selected fields" in adopt("propagate_columns", KNOWN, nothing_left, CHANGED).pause_reason


def test_a_mapper_that_would_let_something_through_pauses_the_connection():
    settings = {"targetField": "note", "method": "MD5", "fieldNameSuffix": "_hash"}
    request = {"name": "orders", "mappers": [{"type": "hashing", "mapperConfiguration": settings}]}
    chosen = catalog.accept_streams(KNOWN, [request])
    taken = stream("orders", "id", "at", "total", "note", "note_hash")
    assert "'note_hash' is there already" in adopt("propagate_columns", KNOWN, chosen, [taken, VISITS]).pause_reason
    assert adopt("propagate_columns", KNOWN, chosen, CHANGED).pause_reason is None


def test_differences_are_named_and_many_are_counted():
    other = {
        **ORDERS,
        "json_schema": {"properties": {**ORDERS["json_schema"]["properties"], "at": {"type": "integer"}}},
    }
    assert differences([ORDERS], [other]) == ["field 'at' of 'orders' has another type"]
    assert differences([ORDERS], [{**ORDERS, "supported_sync_modes": ["incremental", "full_refresh"]}]) == []
    assert summary([str(number) for number in range(8)]) == "0; 1; 2; 3; 4 and 3 more"
