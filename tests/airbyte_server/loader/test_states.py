"""States are beside the tables that they cover: both change in one transaction, and both go together."""

import itertools

import orjson
import psycopg
import pytest
from airbyte_server.errors import RetryableError, ServerError
from airbyte_server.loader import StateOwner, state_table
from airbyte_server.loader.streams import StreamLoad

CONNECTION = "5b1c8f2e-0000-4000-8000-000000000001"
APPEND, DEDUPED = "incremental_append", "incremental_deduped_history"
KEY = {"primary_key": [["id"]], "cursor": ["updated"]}


@pytest.fixture
def warehouse(emptied_warehouse):
    return emptied_warehouse


class ConnectorFailedError(Exception):
    """What a server raises when its connector exits with an error."""


def target(warehouse, mode, stream="items", **more):
    return warehouse.target(stream, **{"sync_mode": mode, **KEY, **more})


def known(warehouse, targets, connection_id=CONNECTION):
    with psycopg.connect(warehouse.url) as connection:
        return state_table.read(connection, connection_id, targets)


def sync(warehouse, targets, lines, connection_id=CONNECTION, **more):
    version = known(warehouse, targets, connection_id).version
    return warehouse.load(targets, lines, owner=StateOwner(connection_id, version), **more)


def cursors(warehouse, targets, connection_id=CONNECTION):
    """Stream → cursor of what the next job would be told."""
    found = {}
    for state in known(warehouse, targets, connection_id).states:
        parts = state["global"]["stream_states"] if state["type"] == "GLOBAL" else [state["stream"]]
        found |= {part["stream_descriptor"]["name"]: part["stream_state"]["cursor"] for part in parts}
    return found


def global_state(**values):
    parts = [{"stream_descriptor": {"name": name}, "stream_state": {"cursor": n}} for name, n in values.items()]
    state = {"type": "GLOBAL", "global": {"shared_state": {"lsn": max(values.values())}, "stream_states": parts}}
    return orjson.dumps({"type": "STATE", "state": state}) + b"\n"


def records(messages, stream, *ids):
    return [messages.record(stream, {"id": n, "updated": n}) for n in ids]


def ids(warehouse, stream="items"):
    exists = warehouse.query("select to_regclass(%s) is not null", f"tenant_acme.shop_{stream}")[0][0]
    return [n for (n,) in warehouse.rows(f"shop_{stream}", "id")] if exists else []


def refuse(warehouse, table, event):
    """From now on this statement fails on this table, as on a disk without room; answers how to end that."""
    warehouse.query(
        "create or replace function public.refuse() returns trigger language plpgsql as"
        " $$ begin raise exception using errcode = 'disk_full', message = 'no room'; end $$"
    )
    warehouse.query(f"create trigger refusing before {event} on {table} execute function public.refuse()")
    return lambda: warehouse.query(f"drop trigger refusing on {table}")


@pytest.mark.parametrize("mode", [APPEND, DEDUPED])
@pytest.mark.parametrize("broken", ["_airbyte_states", "shop_items"], ids=["state", "rows"])
def test_rows_and_their_state_are_there_together_or_not_at_all(warehouse, messages, mode, broken):
    targets = [target(warehouse, mode)]
    sync(warehouse, targets, [*records(messages, "items", 1), messages.state("items", 1)])
    again = refuse(warehouse, f"tenant_acme.{broken}", "insert")
    lines = [*records(messages, "items", 2), messages.state("items", 2)]
    with pytest.raises(RetryableError, match="no room"):
        sync(warehouse, targets, lines)
    assert (ids(warehouse), cursors(warehouse, targets)) == ([1], {"items": 1})
    assert warehouse.temporary_tables() == []
    again()
    sync(warehouse, targets, lines)
    assert (ids(warehouse), cursors(warehouse, targets)) == ([1, 2], {"items": 2})


@pytest.mark.parametrize("stopped", ["shop_a", "shop_b", "_airbyte_states"])
def test_what_one_state_covers_commits_as_one(warehouse, messages, stopped):
    targets = [target(warehouse, APPEND, name) for name in ("a", "b")]
    first = [*records(messages, "a", 1), *records(messages, "b", 1), global_state(a=1, b=1)]
    sync(warehouse, targets, first)
    again = refuse(warehouse, f"tenant_acme.{stopped}", "insert")
    lines = [
        *records(messages, "a", 2),
        messages.status("a", "COMPLETE"),
        *records(messages, "b", 2),
        global_state(a=2, b=2),
        messages.status("b", "COMPLETE"),
    ]
    with pytest.raises(ServerError):
        sync(warehouse, targets, lines)
    assert (ids(warehouse, "a"), ids(warehouse, "b")) == ([1], [1])
    assert cursors(warehouse, targets) == {"a": 1, "b": 1}
    again()
    sync(warehouse, targets, lines)
    assert (ids(warehouse, "a"), ids(warehouse, "b")) == ([1, 2], [1, 2])
    assert cursors(warehouse, targets) == {"a": 2, "b": 2}


def numbers(messages, shared, since):
    """1 to 3 of `a`, 1 to 4 of `b`; where one state covers both, the last of `a` has none yet when `a` is complete."""
    for n in range(1, 5):
        yield from (line for name in ("a", "b") if since.get(name, 0) < n < 4 for line in records(messages, name, n))
        if n == 3:
            yield messages.status("a", "COMPLETE")
        if n == 4 > since.get("b", 0):
            yield from records(messages, "b", 4)
        if shared and n % 2 == 0:
            yield global_state(a=n, b=n)
        elif not shared and n < 4:
            yield messages.state("a", n)
        if not shared and n % 2 == 0:
            yield messages.state("b", n)
    yield messages.status("b", "COMPLETE")


@pytest.mark.parametrize(
    ("shared", "checkpoint_rows"),
    [
        pytest.param(False, 1, marks=pytest.mark.slow, id="stream, each state"),
        pytest.param(False, 1000, marks=pytest.mark.slow, id="stream, at the end"),
        pytest.param(True, 1, id="global, each state"),
        pytest.param(True, 1000, marks=pytest.mark.slow, id="global, at the end"),
    ],
)
def test_appended_rows_are_there_once_wherever_the_source_ended(warehouse, messages, checkpoint_rows, shared):
    """The source ends early after each of its messages once; then it goes on."""
    targets = [target(warehouse, APPEND, name) for name in ("a", "b")]

    def failing(end):
        yield from itertools.islice(numbers(messages, shared, {}), end)
        raise ConnectorFailedError

    for end in range(len(list(numbers(messages, shared, {})))):
        warehouse.query("drop table if exists tenant_acme.shop_a, tenant_acme.shop_b, tenant_acme._airbyte_states")
        with pytest.raises(ConnectorFailedError):
            sync(warehouse, targets, failing(end), checkpoint_rows=checkpoint_rows)
        told = cursors(warehouse, targets)
        for name, last in (("a", 3), ("b", 4)):
            assert ids(warehouse, name) == list(range(1, min(told.get(name, 0), last) + 1)), end
        sync(warehouse, targets, numbers(messages, shared, told), checkpoint_rows=checkpoint_rows)
        assert (ids(warehouse, "a"), ids(warehouse, "b")) == ([1, 2, 3], [1, 2, 3, 4]), end


def test_a_table_that_is_gone_takes_its_state_along(warehouse, messages):
    targets = [target(warehouse, APPEND, name) for name in ("a", "b")]
    lines = [*records(messages, "a", 1), *records(messages, "b", 1)]
    sync(warehouse, targets, [*lines, messages.state("a", 1), messages.state("b", 1)])
    warehouse.query("drop table tenant_acme.shop_a")
    assert cursors(warehouse, targets) == {"b": 1}
    elsewhere = [target(warehouse, APPEND, name, namespace="tenant_other") for name in ("a", "b")]
    renamed = [target(warehouse, APPEND, "b", table="other_b")]
    assert cursors(warehouse, elsewhere) == cursors(warehouse, renamed) == {}
    sync(warehouse, targets, [*lines, global_state(a=1, b=1)])
    warehouse.query("drop table tenant_acme.shop_a")
    assert cursors(warehouse, targets) == {"b": 1}
    warehouse.query("drop schema tenant_acme cascade")
    assert cursors(warehouse, targets) == {}


def test_a_job_planned_before_another_committed_is_refused(warehouse, messages):
    targets = [target(warehouse, APPEND)]
    before = known(warehouse, targets).version
    sync(warehouse, targets, [*records(messages, "items", 1), messages.state("items", 1)])
    late = [*records(messages, "items", 1), messages.state("items", 1)]
    with pytest.raises(RetryableError, match="changed since the job was planned"):
        warehouse.load(targets, late, owner=StateOwner(CONNECTION, before))
    assert (ids(warehouse), cursors(warehouse, targets)) == ([1], {"items": 1})


def test_jobs_of_one_connection_take_turns_also_on_other_tables(warehouse, messages, monkeypatch):
    monkeypatch.setattr("airbyte_server.loader.database._LOCK_SECONDS", 1)

    def lines():
        with pytest.raises(RetryableError, match="Another job"):
            sync(warehouse, [target(warehouse, APPEND, "b")], records(messages, "b", 1))
        sync(warehouse, [target(warehouse, APPEND, "c")], records(messages, "c", 1), connection_id="another")
        yield from records(messages, "items", 1)

    sync(warehouse, [target(warehouse, APPEND)], lines())
    assert (ids(warehouse), ids(warehouse, "b"), ids(warehouse, "c")) == ([1], [], [1])


@pytest.mark.parametrize("mode", ["full_refresh_overwrite", "full_refresh_append"])
def test_a_full_refresh_forgets_with_its_rows_not_before(warehouse, messages, mode):
    both = [target(warehouse, APPEND, name) for name in ("a", "b")]
    lines = [*records(messages, "a", 1), *records(messages, "b", 1)]
    for states in ([messages.state("a", 1), messages.state("b", 1)], [global_state(a=1, b=1)]):
        sync(warehouse, both, [*lines, *states])
        full = [target(warehouse, mode, "a"), both[1]]

        def failing():
            yield from records(messages, "a", 2)
            raise ConnectorFailedError

        with pytest.raises(ConnectorFailedError):
            sync(warehouse, full, failing())
        assert cursors(warehouse, both) == {"a": 1, "b": 1}
        sync(warehouse, full, [*records(messages, "a", 2), messages.state("a", 2)])
        assert cursors(warehouse, both) == {"b": 1}
        assert cursors(warehouse, full) == {"b": 1}


def test_a_refresh_replaces_rows_and_state_together(warehouse, messages):
    targets = [target(warehouse, APPEND)]
    sync(warehouse, targets, [*records(messages, "items", 1), messages.state("items", 1)])
    refresh = [target(warehouse, APPEND, refreshes=True)]
    lines = [*records(messages, "items", 2), messages.state("items", 2)]

    def failing():
        yield from lines
        raise ConnectorFailedError

    with pytest.raises(ConnectorFailedError):
        sync(warehouse, refresh, failing())
    assert (ids(warehouse), cursors(warehouse, targets)) == ([1], {"items": 1})
    sync(warehouse, refresh, lines)
    assert (ids(warehouse), cursors(warehouse, targets)) == ([2], {"items": 2})
    sync(warehouse, refresh, records(messages, "items", 3))
    assert (ids(warehouse), cursors(warehouse, targets)) == ([3], {})


def test_a_stream_that_is_left_out_for_a_while_goes_on_where_it_was(warehouse, messages):
    both = [target(warehouse, APPEND, name) for name in ("a", "b")]
    lines = [*records(messages, "a", 1), *records(messages, "b", 1)]
    sync(warehouse, both, [*lines, messages.state("a", 1), messages.state("b", 1)])
    sync(warehouse, both[:1], [*records(messages, "a", 2), messages.state("a", 2)])
    assert cursors(warehouse, both[:1]) == {"a": 2}
    assert cursors(warehouse, both) == {"a": 2, "b": 1}


def test_each_table_that_a_stream_had_goes_on_from_its_own_state(warehouse, messages):
    first, second = ([target(warehouse, APPEND, table=f"{prefix}_items")] for prefix in ("a", "b"))
    for targets, last in ((first, 1), (second, 2), (first, 3)):
        known_here = cursors(warehouse, targets).get("items", 0)
        sync(warehouse, targets, [*records(messages, "items", *range(known_here + 1, last + 1)),
                                  messages.state("items", last)])  # fmt: skip
    assert warehouse.rows("a_items", "id") == [(1,), (2,), (3,)]
    assert warehouse.rows("b_items", "id") == [(1,), (2,)]
    assert (cursors(warehouse, first), cursors(warehouse, second)) == ({"items": 3}, {"items": 2})


def test_a_state_that_tells_no_streams_apart_counts_while_all_its_tables_are_there(warehouse, messages):
    targets = [target(warehouse, APPEND, name) for name in ("a", "b")]
    legacy = b'{"type":"STATE","state":{"type":"LEGACY","data":{"a":1,"b":1}}}'
    sync(warehouse, targets, [*records(messages, "a", 1), *records(messages, "b", 1), legacy])
    more = [*targets, target(warehouse, APPEND, "c")]
    assert len(known(warehouse, targets).states) == len(known(warehouse, more).states) == 1
    warehouse.query("drop table tenant_acme.shop_b")
    assert known(warehouse, targets).states == []


def test_a_login_that_may_not_use_anothers_states_has_its_own(warehouse, messages, postgres):
    database = warehouse.url.rsplit("/", 1)[1]
    warehouse.query(
        "create schema tenant_acme; grant usage, create on schema tenant_acme to sluice_loader, sluice_airbyte"
    )
    warehouse.query("grant usage, create on schema airbyte_internal to sluice_airbyte")
    for login in ("sluice_airbyte", "sluice_loader"):
        warehouse.url = postgres.url(login, database)
        targets = [target(warehouse, APPEND, login)]
        for last in (1, 2):
            sync(warehouse, targets, [*records(messages, login, last), messages.state(login, last)], login)
            assert cursors(warehouse, targets, login) == {login: last}


def test_who_takes_a_table_over_goes_on_from_nothing_and_the_other_forgets(warehouse, messages):
    targets = [target(warehouse, APPEND)]
    sync(warehouse, targets, [*records(messages, "items", 1), messages.state("items", 1)])
    assert cursors(warehouse, targets, "another") == {}
    sync(warehouse, targets, [*records(messages, "items", 2), messages.state("items", 2)], connection_id="another")
    assert cursors(warehouse, targets) == {}
    with psycopg.connect(warehouse.url) as connection:
        state_table.forget_connection(connection, "another", ["tenant_acme", "nowhere"])
    assert cursors(warehouse, targets, "another") == {}


def test_a_sample_neither_reads_nor_writes_states(warehouse, messages):
    targets = [target(warehouse, APPEND)]
    warehouse.load(targets, [*records(messages, "items", 1), messages.state("items", 1)])
    assert warehouse.query("select to_regclass('tenant_acme._airbyte_states')") == [(None,)]


def test_a_state_without_rows_is_kept(warehouse, messages):
    targets = [target(warehouse, DEDUPED)]
    for value in (1, 2):
        sync(warehouse, targets, [messages.state("items", value)])
        assert cursors(warehouse, targets) == {"items": value}


def test_a_stored_state_that_comes_from_elsewhere_never_replaces_one(warehouse, messages):
    targets = [target(warehouse, APPEND), target(warehouse, APPEND, "gone")]
    old = orjson.loads(messages.state("items", 1))["state"]
    with psycopg.connect(warehouse.url) as connection:
        state_table.adopt(connection, CONNECTION, targets, old)
    assert cursors(warehouse, targets) == {}
    sync(warehouse, targets, records(messages, "items", 1))
    with psycopg.connect(warehouse.url) as connection:
        state_table.adopt(connection, CONNECTION, targets, old)
    assert cursors(warehouse, targets) == {"items": 1}
    sync(warehouse, targets, [messages.state("items", 2)])
    with psycopg.connect(warehouse.url) as connection:
        state_table.adopt(connection, CONNECTION, targets, old)
    assert cursors(warehouse, targets) == {"items": 2}


@pytest.mark.parametrize("mode", [pytest.param(APPEND, marks=pytest.mark.slow), DEDUPED])
def test_rows_that_never_reached_the_database_are_covered_by_no_state(warehouse, messages, mode, monkeypatch):
    """A batch is out of the loader's hands while it is copied: memory may run out there as anywhere."""
    targets = [target(warehouse, mode)]
    copy, copied = StreamLoad.copy, []

    def failing(stream, connection, rows):
        copied.append(len(rows))
        copy(stream, connection, [*rows, None] if len(copied) == 2 else rows)

    def lines():
        for n in range(1, 40):
            yield messages.record("items", {"id": n, "name": "x" * 500_000, "updated": n})
            yield messages.state("items", n)

    with monkeypatch.context() as broken:
        broken.setattr(StreamLoad, "copy", failing)
        with pytest.raises(TypeError):
            sync(warehouse, targets, lines())
    assert len(copied) >= 2
    assert (ids(warehouse), cursors(warehouse, targets)) == ([], {})
    sync(warehouse, targets, lines())
    assert (len(ids(warehouse)), cursors(warehouse, targets)) == (39, {"items": 39})


def test_a_table_that_is_dropped_while_it_is_loaded_is_read_anew(warehouse, messages):
    """The job goes on from a state whose rows are gone."""
    targets = [target(warehouse, APPEND)]
    sync(warehouse, targets, [*records(messages, "items", 1), messages.state("items", 1)])

    def lines():
        warehouse.query("drop table tenant_acme.shop_items")
        yield from [*records(messages, "items", 2), messages.state("items", 2)]

    with pytest.raises(RetryableError, match="dropped"):
        sync(warehouse, targets, lines())
    assert (ids(warehouse), cursors(warehouse, targets)) == ([], {})


def test_a_full_refresh_leaves_the_state_that_tells_no_streams_apart(warehouse, messages):
    both = [target(warehouse, APPEND), warehouse.target("other")]
    whole = {"type": "LEGACY", "data": {"items": 1}}
    lines = [
        *records(messages, "items", 1),
        orjson.dumps({"type": "STATE", "state": whole}) + b"\n",
        messages.status("items", "COMPLETE"),
        *records(messages, "other", 1),
        messages.status("other", "COMPLETE"),
    ]
    sync(warehouse, both, lines)
    assert known(warehouse, both).states == [whole]
    assert (ids(warehouse), ids(warehouse, "other")) == ([1], [1])
