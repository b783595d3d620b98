"""Overwrites swap whole tables; failures leave old rows, no debris and a sentence."""

import multiprocessing
import os
import signal
import time

import psycopg
import pytest
from airbyte_server.errors import PermanentError, RetryableError
from airbyte_server.loader import Loader


class ConnectorFailedError(Exception):
    """What a server raises when its connector exits with an error."""


def old_rows(warehouse, messages):
    warehouse.load(warehouse.target(), [messages.record("items", {"id": 1, "name": "old"})])
    return [(1, "old", None)]


def test_an_overwrite_replaces_all_rows(warehouse, messages):
    old_rows(warehouse, messages)
    lines = [messages.record("items", {"id": n, "name": "b", "updated": n}) for n in (2, 3)]
    outcome = warehouse.load(warehouse.target(), lines)["items"]
    assert warehouse.rows() == [(2, "b", 2), (3, "b", 3)]
    assert (outcome.records_emitted, outcome.rows_written, outcome.duplicates, outcome.complete) == (2, 2, 0, True)
    assert outcome.bytes_emitted == sum(map(len, lines))
    assert warehouse.temporary_tables() == []


def test_a_complete_stream_without_records_leaves_an_empty_table(warehouse, messages):
    old_rows(warehouse, messages)
    warehouse.load(warehouse.target(), [messages.status("items", "STARTED"), messages.status("items", "COMPLETE")])
    assert warehouse.rows() == []


@pytest.mark.parametrize(
    "broken",
    [
        b"not json\n",
        b'{"type":"RECORD"\n',
        b"[]\n",
        b'{"type":"RECORD","record":{"stream":"items","data":[],"emitted_at":1}}\n',
        b'{"type":"RECORD","record":{"stream":"items","data":{}}}\n',
        b'{"type":"STATE"}\n',
        b"\xff\xfe\n",
    ],
    ids=["garbage", "cut", "array", "no-data", "no-time", "no-state", "not-utf8"],
)
def test_a_malformed_line_is_named_and_nothing_is_swapped(warehouse, messages, broken):
    before = old_rows(warehouse, messages)
    with pytest.raises(PermanentError, match="Line 2 of the connector's output"):
        warehouse.load(warehouse.target(), [messages.record("items", {"id": 2}), broken])
    assert warehouse.rows() == before
    assert warehouse.temporary_tables() == []


def test_a_record_of_an_undeclared_stream_is_refused_by_name(warehouse, messages):
    before = old_rows(warehouse, messages)
    with pytest.raises(PermanentError, match=r"Line 2 .* undeclared stream. \(stream='other'\)"):
        warehouse.load(warehouse.target(), [messages.record("items", {"id": 2}), messages.record("other", {})])
    assert warehouse.rows() == before


def test_a_source_that_fails_half_way_changes_no_overwritten_table(warehouse, messages):
    before = old_rows(warehouse, messages)

    def lines():
        yield messages.status("items", "STARTED")
        yield messages.record("items", {"id": 2})
        yield messages.state("items", 1)
        raise ConnectorFailedError

    with pytest.raises(ConnectorFailedError):
        warehouse.load(warehouse.target(), lines())
    assert warehouse.rows() == before
    assert warehouse.states == []
    assert warehouse.temporary_tables() == []


def test_a_source_that_fails_half_way_keeps_incremental_rows_and_their_state(warehouse, messages):
    def lines():
        yield messages.record("items", {"id": 2})
        yield messages.state("items", 7)
        yield messages.record("items", {"id": 3})
        raise ConnectorFailedError

    with pytest.raises(ConnectorFailedError):
        warehouse.load(warehouse.deduped(), lines())
    assert warehouse.rows(columns="id") == [(2,), (3,)]
    assert [state["stream"]["stream_state"]["cursor"] for state in warehouse.states] == [7]


@pytest.mark.parametrize(
    ("kind", "error"), [("config_error", PermanentError), ("transient_error", RetryableError)], ids=["mine", "passing"]
)
def test_the_connectors_own_sentence_is_the_error(warehouse, messages, kind, error):
    def lines():
        yield messages.trace_error("The token has expired.", kind)
        raise ConnectorFailedError

    with pytest.raises(error, match="The token has expired"):
        warehouse.load(warehouse.target(), lines())


def test_a_stream_that_stops_without_completing_is_not_swapped(warehouse, messages):
    before = old_rows(warehouse, messages)
    with pytest.raises(RetryableError, match="ended before the stream was complete"):
        warehouse.load(
            [warehouse.target(), warehouse.target("done")],
            [messages.status("done", "COMPLETE"), messages.status("items", "STARTED"), messages.record("items", {})],
        )
    assert warehouse.rows() == before
    assert warehouse.count("shop_done") == 0


def test_a_view_on_an_overwritten_table_is_named_and_the_old_rows_stay(warehouse, messages):
    before = old_rows(warehouse, messages)
    warehouse.query("create view tenant_acme.report as select id from tenant_acme.shop_items")
    with pytest.raises(PermanentError, match=r"because tenant_acme\.report depends on it"):
        warehouse.load(warehouse.target(), [messages.record("items", {"id": 2})])
    assert warehouse.rows() == before
    assert warehouse.temporary_tables() == []


def test_two_streams_of_one_table_are_refused(warehouse):
    with pytest.raises(PermanentError, match="share one table"):
        warehouse.loader([warehouse.target("a", table="same"), warehouse.target("b", table="same")])


def test_readers_grants_survive_an_overwrite(warehouse, messages):
    warehouse.query("create schema tenant_acme")
    warehouse.query("alter default privileges in schema tenant_acme grant select on tables to pg_monitor")
    granted = "select has_table_privilege('pg_monitor', 'tenant_acme.shop_items', 'select')"
    for _ in range(2):
        warehouse.load(warehouse.target(), [messages.record("items", {"id": 1})])
        assert warehouse.query(granted) == [(True,)]


def test_a_schema_that_may_not_be_created_is_named(warehouse, postgres, messages):
    database = warehouse.url.rsplit("/", 1)[1]
    warehouse.url = postgres.url("sluice_loader", database)
    with pytest.raises(PermanentError, match=r"may not create it.*schema='elsewhere'"):
        warehouse.load(warehouse.target(namespace="elsewhere"), [])


@pytest.mark.parametrize("connects", [True, False], ids=["lost", "refused"])
def test_a_lost_connection_can_be_retried(warehouse, messages, connects):
    def lines():
        yield messages.record("items", {"id": 2})
        warehouse.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name ~ 'loader'")
        yield messages.state("items", 2)

    url = warehouse.url if connects else "postgresql://x@127.0.0.1:1/none"
    loader = Loader(url, [warehouse.deduped()], sync_id=1, on_state=warehouse.states.append)
    with pytest.raises(RetryableError, match="connection to PostgreSQL"):
        loader.load(lines())
    assert warehouse.states == []


def test_a_wrong_password_is_not_retried_and_not_shown(warehouse):
    wrong = warehouse.url.replace("sluice_control:", "sluice_control:WRONG", 1)
    loader = Loader(wrong, [warehouse.target()], sync_id=1, on_state=warehouse.states.append)
    with pytest.raises(PermanentError, match="refused the login") as failure:
        loader.load([])
    assert "WRONG" not in str(failure.value)


def test_one_table_is_loaded_by_one_job_at_a_time(warehouse, messages, monkeypatch):
    monkeypatch.setattr("airbyte_server.loader.database._LOCK_SECONDS", 1)

    def lines():
        with pytest.raises(RetryableError, match="Another job is loading the same table"):
            warehouse.load(warehouse.target(), [messages.record("items", {"id": 9})])
        yield messages.record("items", {"id": 1})

    warehouse.load(warehouse.target(), lines())
    assert warehouse.rows(columns="id") == [(1,)]


def _await_the_end_of_sessions(url):
    """PostgreSQL notices a killed client when it next reads from it or writes to it."""
    query = """
        select count(*) from pg_stat_activity
        where application_name = 'airbyte_server loader' and datname = current_database()
    """
    deadline = time.monotonic() + 30
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(query).fetchone() != (0,):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def _load_for_ever(url, target, line, half_way):
    def lines():
        for number in range(1_000_000):
            if number == 30_000:
                half_way.send(True)
            yield line

    Loader(url, [target], sync_id=1, on_state=lambda state: None).load(lines())


@pytest.mark.parametrize("mode", ["target", "deduped"])
def test_a_killed_job_leaves_the_old_rows_and_the_next_one_cleans_up(warehouse, messages, mode):
    before = old_rows(warehouse, messages)
    line = messages.record("items", {"id": 2, "name": "x" * 500})
    here, there = multiprocessing.Pipe()
    target = getattr(warehouse, mode)()
    child = multiprocessing.get_context("fork").Process(
        target=_load_for_ever, args=(warehouse.url, target, line, there)
    )
    child.start()
    assert here.recv()
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert warehouse.rows() == before
    assert len(warehouse.temporary_tables()) == 1
    _await_the_end_of_sessions(warehouse.url)
    warehouse.load(warehouse.target("another"), [])
    assert warehouse.temporary_tables() == []
    warehouse.load(target, [messages.record("items", {"id": 3})])
    assert warehouse.rows(columns="id") == ([(3,)] if mode == "target" else [(1,), (3,)])


def test_tables_of_others_in_the_staging_schema_are_never_swept(warehouse, messages):
    name = "tenant_ashop_ite" + "0" * 32
    warehouse.query(f'create table airbyte_internal."{name}" ()')
    warehouse.load(warehouse.target(), [])
    assert warehouse.temporary_tables() == [name]


def test_interleaved_streams_stay_within_memory(warehouse, messages):
    names = [f"s{number}" for number in range(12)]
    wide = "y" * 20_000
    lines = (messages.record(names[n % 12], {"id": n, "name": wide}) for n in range(2400))
    outcomes = warehouse.load([warehouse.target(name) for name in names], lines)
    assert all(outcome.rows_written == 200 for outcome in outcomes.values())
    assert warehouse.count("shop_s3") == 200


def test_progress_and_counts_are_true_after_a_failure(warehouse, messages):
    loader = warehouse.loader(warehouse.deduped())
    with pytest.raises(PermanentError):
        loader.load([messages.record("items", {"id": 1}), b"x\n"])
    outcome = loader.outcomes[(None, "items")]
    assert (outcome.records_emitted, outcome.rows_written, outcome.complete) == (1, 1, False)


def test_no_transaction_is_left_open_while_a_source_is_slow(warehouse, messages):
    def settled():
        """What the loader's session does once the rows so far have been written."""
        query = "select state from pg_stat_activity where application_name = 'airbyte_server loader'"
        deadline = time.monotonic() + 20
        while (found := warehouse.query(query)) != [("idle",)] and time.monotonic() < deadline:
            time.sleep(0.01)
        return found

    states = []

    def lines():
        for _ in range(3):
            yield messages.record("items", {"id": 1, "name": "z" * 3_000_000})
            states.extend(settled())

    warehouse.load(warehouse.target(), lines())
    assert states == [("idle",)] * 3
