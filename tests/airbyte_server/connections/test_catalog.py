import pytest
from airbyte_server import sync_modes
from airbyte_server.connections import catalog
from airbyte_server.errors import RefusedError

FIELDS = {"properties": {name: {"type": "string"} for name in ("id", "updated_at", "email")}}
ORDERS = {
    "name": "orders",
    "json_schema": FIELDS,
    "supported_sync_modes": ["full_refresh", "incremental"],
    "source_defined_primary_key": [["id"]],
    "default_cursor_field": ["updated_at"],
}
PLAIN = {"name": "plain", "json_schema": FIELDS, "supported_sync_modes": ["full_refresh"]}
KEYLESS = {**ORDERS, "name": "keyless", "source_defined_primary_key": []}
STREAMS = [ORDERS, PLAIN, KEYLESS]


def test_each_stream_gets_the_best_mode_that_it_can():
    modes = {stream["name"]: stream["syncMode"] for stream in catalog.choose_streams(STREAMS)}
    assert modes == {"orders": sync_modes.DEDUPED, "plain": sync_modes.OVERWRITE, "keyless": sync_modes.OVERWRITE}


@pytest.mark.parametrize(
    "more",
    [
        {"source_defined_primary_key": [["uuid"]]},
        {"default_cursor_field": ["seen_at"]},
        {"json_schema": {}},
        {"source_defined_primary_key": [["id", "number"]]},
    ],
    ids=["key", "cursor", "no schema", "nested key"],
)
def test_a_stream_whose_schema_lacks_key_or_cursor_is_overwritten(more):
    (chosen,) = catalog.choose_streams([{**ORDERS, **more}])
    assert chosen["syncMode"] == sync_modes.OVERWRITE


def test_the_servers_own_values_are_accepted_again():
    chosen = catalog.choose_streams(STREAMS)
    assert catalog.accept_streams(STREAMS, chosen) == chosen


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"name": "ghosts"}, "no stream 'ghosts'; it has: keyless, orders, plain."),
        ({"name": "orders", "syncMode": "full_refresh_update"}, "does not run here; use full_refresh_overwrite or"),
        ({"name": "plain", "syncMode": sync_modes.DEDUPED}, "'plain' cannot be read incrementally"),
        ({"name": "keyless", "syncMode": sync_modes.DEDUPED}, "'keyless' needs a primaryKey"),
        ({"name": "orders", "syncMode": sync_modes.DEDUPED, "cursorField": ["ghost"]}, "no field 'ghost'"),
        ({"name": "orders", "mappers": [{"type": "hashing"}]}, "it needs a mapperConfiguration"),
        ({"name": "orders", "includeFiles": True}, "leave includeFiles off stream 'orders'"),
        ({"name": "orders", "selectedFields": [{"fieldPath": ["ghost"]}]}, "no top-level field 'ghost'"),
        (
            {"name": "orders", "syncMode": sync_modes.DEDUPED, "selectedFields": [{"fieldPath": ["email"]}]},
            "needs its key and cursor selected: id, updated_at",
        ),
    ],
    ids=[
        "unknown",
        "mode",
        "not incremental",
        "no key",
        "no such cursor",
        "mapper",
        "files",
        "no such field",
        "key left out",
    ],
)
def test_what_cannot_run_is_refused_with_the_reason(request_, sentence):
    with pytest.raises(RefusedError, match=sentence):
        catalog.accept_streams(STREAMS, [request_])


def test_a_stream_without_a_cursor_needs_one():
    with pytest.raises(RefusedError, match="'bare' needs a cursorField"):
        bare = {**ORDERS, "name": "bare", "default_cursor_field": []}
        catalog.accept_streams([bare], [{"name": "bare", "syncMode": sync_modes.DEDUPED}])


def test_a_stream_is_configured_once():
    with pytest.raises(RefusedError, match="'orders' is configured twice"):
        catalog.accept_streams(STREAMS, [{"name": "orders"}, {"name": "orders"}])


def test_two_streams_of_one_table_are_refused_and_named():
    streams = [{"name": "a b"}, {"name": "a_b"}]
    with pytest.raises(RefusedError, match=r"'a b' and 'a_b' would both be written to table raw\.shop_a_b"):
        catalog.check_tables(streams, catalog.target_schemas(streams, "destination", None, "raw"), "shop_")


def test_a_stream_cannot_take_the_place_of_the_states():
    streams = [{"name": "states"}]
    with pytest.raises(RefusedError, match="would be written to _airbyte_states"):
        catalog.check_tables(streams, catalog.target_schemas(streams, "destination", None, "raw"), "_airbyte_")


@pytest.mark.parametrize(
    ("definition", "namespace_format", "schema"),
    [
        ("destination", None, "raw"),
        ("source", None, "crm"),
        ("custom_format", "tenant_acme", "tenant_acme"),
        ("custom_format", "x_${SOURCE_NAMESPACE}", "x_crm"),
    ],
)
def test_the_schema_follows_the_namespace_definition(definition, namespace_format, schema):
    stream = {"name": "orders", "namespace": "crm"}
    assert catalog.target_schemas([stream], definition, namespace_format, "raw") == {("orders", "crm"): schema}


def test_only_selected_fields_become_columns():
    streams = catalog.accept_streams(STREAMS, [{"name": "orders", "selectedFields": [{"fieldPath": ["id"]}]}])
    target = catalog.stream_targets(STREAMS, streams, {("orders", ""): "raw"}, "shop_", {("orders", ""): 3})[0]
    assert list(target.json_schema["properties"]) == ["id"]
    assert (target.namespace, target.table, target.generation_id) == ("raw", "shop_orders", 3)


def test_a_stream_that_the_source_lost_is_named():
    with pytest.raises(RefusedError, match="no longer has stream 'gone'"):
        catalog.configured_catalog(STREAMS, [{"name": "gone", "syncMode": sync_modes.OVERWRITE}])
