"""States are beside the tables: they move there from an older server, and go where the tables or connections go."""

import psycopg
import pytest
from psycopg import sql

EVENTS = {
    "name": "events",
    "json_schema": {"type": "object", "properties": {"id": {"type": "integer"}}},
    "supported_sync_modes": ["full_refresh", "incremental"],
    "default_cursor_field": ["id"],
}
STREAMS = [{"name": "events", "syncMode": "incremental_append", "cursorField": ["id"]}]


@pytest.fixture
def shop(workshop):
    """Events that are only ever added; the source sends the one at its cursor again."""
    workshop.write("events", [{"id": n} for n in range(1, 11)])
    workshop.catalog = str(workshop.write_catalog(EVENTS))
    workshop.source_id = workshop.source(catalog=workshop.catalog)
    workshop.connection = workshop.connect(workshop.source_id, configurations={"streams": STREAMS})
    assert workshop.sync(workshop.connection)["rowsSynced"] == 10
    return workshop


def kept(shop):
    """(connection, stream) of each state beside the tables."""
    return shop.rows("_airbyte_states", "connection_id, stream")


def in_destination(shop, statement):
    with psycopg.connect(shop.server.loader_url) as connection:
        return connection.execute(sql.SQL(statement).format(schema=sql.Identifier(shop.namespace))).rowcount


def as_an_older_server(shop):
    """Put the state where the first versions kept it."""
    ((state,),) = shop.rows("_airbyte_states", "state")
    in_destination(shop, "delete from {schema}._airbyte_states")
    with psycopg.connect(shop.server.database_url) as connection:
        old = "update airbyte.stream_states set state = %s where connection_id = %s"
        connection.execute(old, [psycopg.types.json.Jsonb(state), shop.connection["connectionId"]])


def old_states(shop):
    with psycopg.connect(shop.server.database_url) as connection:
        query = "select count(*) from airbyte.stream_states where connection_id = %s and state is not null"
        return connection.execute(query, [shop.connection["connectionId"]]).fetchone()[0]


def test_a_state_of_an_older_server_moves_and_is_gone_on_from(shop):
    as_an_older_server(shop)
    shop.write("events", [{"id": n} for n in range(10, 13)])
    assert shop.sync(shop.connection)["rowsSynced"] == 3
    assert (kept(shop), old_states(shop)) == ([(shop.connection["connectionId"], "events")], 0)
    assert shop.sync(shop.connection)["rowsSynced"] == 1


@pytest.mark.parametrize(
    "older", [pytest.param(False, marks=pytest.mark.slow, id="now"), pytest.param(True, id="after-an-upgrade")]
)
def test_a_table_that_was_dropped_is_read_from_its_beginning(shop, older):
    if older:
        as_an_older_server(shop)
    in_destination(shop, "drop table {schema}.shop_events")
    for rows in (10, 1):
        assert shop.sync(shop.connection)["rowsSynced"] == rows
    assert {n for (n,) in shop.rows("shop_events", "id")} == set(range(1, 11))


def test_a_cleared_table_is_read_from_its_beginning_also_after_an_upgrade(shop):
    as_an_older_server(shop)
    body = {"connectionId": shop.connection["connectionId"], "jobType": "clear"}
    assert shop.wait(shop.client.post("/jobs", json=body).json())["status"] == "succeeded"
    assert shop.rows("shop_events") == []
    assert shop.sync(shop.connection)["rowsSynced"] == 10


def test_other_tables_of_a_connection_begin_from_nothing_and_the_old_ones_go_on(shop):
    path = f"/connections/{shop.connection['connectionId']}"
    assert shop.client.patch(path, json={"prefix": "moved_"}).status_code == 200
    assert shop.sync(shop.connection)["rowsSynced"] == 10
    assert len(shop.rows("moved_events")) == len(shop.rows("shop_events")) == 10


@pytest.mark.parametrize(
    "what", ["connection", *(pytest.param(each, marks=pytest.mark.slow) for each in ("source", "workspace"))]
)
def test_who_removes_a_connection_removes_its_states(shop, what):
    paths = {
        "connection": f"/connections/{shop.connection['connectionId']}",
        "source": f"/sources/{shop.source_id}",
        "workspace": f"/workspaces/{shop.workspace_id}",
    }
    other = shop.connect(shop.source(catalog=shop.catalog), prefix="other_", configurations={"streams": STREAMS})
    shop.sync(other)
    assert len(kept(shop)) == 2
    assert shop.client.delete(paths[what]).status_code == 204
    assert kept(shop) == ([] if what == "workspace" else [(other["connectionId"], "events")])
    assert len(shop.rows("shop_events")) == 10


@pytest.mark.slow
def test_a_destination_that_does_not_answer_keeps_no_connection_from_being_removed(shop):
    gone = {"configuration": {"port": 1, "password": "another"}}
    assert shop.client.patch(f"/destinations/{shop.destination_id}", json=gone).status_code == 200
    assert shop.client.delete(f"/connections/{shop.connection['connectionId']}").status_code == 204
    assert len(kept(shop)) == 1
