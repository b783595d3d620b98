import json
import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import exc, text

from analysis.store import audit, audit_chain
from analysis.store.connect import open_engine
from analysis.store.plans import decide_review, open_review, save_model_set, save_plan

APPENDS = 10


@pytest.fixture
def log(store):
    """A log of five rows at least, which this transaction may spoil: the owner gives itself the rights to."""
    for number in range(5):
        detail = {"number": number, "text": "\u202eé\x00", "big": 1e22}
        audit.append(store, tenant="acme", action="test.act", detail=detail)
    store.execute(text("grant update, delete on sluice.audit_log to current_user"))
    return store


def checked(store, known=None):
    return audit_chain.verify(audit.read_log(store), head=audit.read_head(store), known=known)


def test_a_row_says_who_did_what_to_whom(store):
    with audit.within_run("run-1"):
        number = audit.append(store, tenant="acme", action="test.act", actor="ada", detail={"release": 3})
    audit.append(store, tenant=None, action="test.other")
    first, second = list(audit.read_log(store))[-2:]
    login = store.execute(text("select session_user")).scalar_one()
    assert (first.seq, second.seq) == (number, number + 1)
    assert (first.tenant, first.action, first.actor, first.detail) == ("acme", "test.act", "ada", {"release": 3})
    assert (first.run_id, second.run_id, second.tenant) == ("run-1", None, None)
    assert first.login == second.login == login
    assert second.actor == second.os_user == first.os_user == audit.operating_system_user()


def test_an_untouched_log_verifies_and_knows_its_former_heads(log):
    former = list(audit.read_log(log))[-3].hash
    found = checked(log, known=former)
    assert found.bad is None and found.head == audit.read_head(log).hash
    assert checked(log, known="f" * 64).bad == found.rows + 1


@pytest.mark.parametrize(
    ("statement", "first_bad"),
    [
        ("update sluice.audit_log set actor = 'somebody' where seq = :row", 0),
        ("update sluice.audit_log set detail = '{\"number\": 7}' where seq = :row", 0),
        ("update sluice.audit_log set recorded_at = recorded_at + interval '1 microsecond' where seq = :row", 0),
        ("update sluice.audit_log set tenant = null where seq = :row", 0),
        ("update sluice.audit_log set hash = repeat('0', 64) where seq = :row", 0),
        ("delete from sluice.audit_log where seq = :row", 0),
        ("delete from sluice.audit_log where seq > :row", 1),
        ("delete from sluice.audit_log where seq < :row", None),
        ("update sluice.audit_log set seq = case seq when :row then -1 else seq end", None),
        (
            "with two as (select * from sluice.audit_log where seq in (:row, :row + 1)) update sluice.audit_log as own"
            " set actor = two.actor, detail = two.detail, hash = two.hash, recorded_at = two.recorded_at from two"
            " where own.seq in (:row, :row + 1) and two.seq = 2 * :row + 1 - own.seq",
            0,
        ),
    ],
    ids=["actor", "detail", "time", "tenant", "hash", "removed", "tail", "beginning", "moved", "swapped"],
)
def test_the_first_row_that_was_tampered_with_is_named(log, statement, first_bad):
    row = audit.read_head(log).seq - 2
    assert checked(log).bad is None
    assert log.execute(text(statement), {"row": row}).rowcount
    assert checked(log).bad == (1 if first_bad is None else row + first_bad)


def test_a_row_that_was_rewritten_with_its_own_hash_breaks_the_next(log):
    row = list(audit.read_log(log))[-3]
    forged = audit.hash_of(row.model_dump() | {"actor": "somebody"})
    log.execute(
        text("update sluice.audit_log set actor = 'somebody', hash = :hash where seq = :seq"),
        {"hash": forged, "seq": row.seq},
    )
    assert checked(log).bad == row.seq + 1


def test_a_tail_removed_with_its_head_is_found_by_a_head_that_was_kept(log):
    kept = audit.read_head(log).hash
    last = list(audit.read_log(log))[-2]
    log.execute(text("delete from sluice.audit_log where seq > :seq"), {"seq": last.seq})
    log.execute(text("update sluice.audit_head set seq = :seq, hash = :hash"), {"seq": last.seq, "hash": last.hash})
    assert checked(log).bad is None
    assert checked(log, known=kept).bad == last.seq + 1


@pytest.mark.parametrize(
    "statement",
    ["update sluice.audit_log set actor = 'x'", "delete from sluice.audit_log", "truncate sluice.audit_log",
     "delete from sluice.audit_head"],
    ids=lambda statement: statement.split()[0] + statement[-5:],
)  # fmt: skip
def test_the_control_role_holds_no_right_to_change_what_was_written(store, statement):
    with pytest.raises(exc.ProgrammingError, match="permission denied"):
        store.execute(text(statement))


def test_an_append_that_is_rolled_back_leaves_no_gap(store_engine):
    with store_engine.connect() as first:
        number = audit.append(first, tenant=None, action="test.lost")
        first.rollback()
    with store_engine.begin() as second:
        assert audit.append(second, tenant=None, action="test.kept") == number


def append_many(url):
    for _ in range(APPENDS):
        with open_engine(url).begin() as connection:
            audit.append(connection, tenant="acme", action="test.parallel", detail={"process": os.getpid()})


def test_appends_at_once_make_one_chain(store_engine):
    url = store_engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    before = audit_chain.verify_log(store_engine).rows
    processes = [multiprocessing.get_context("fork").Process(target=append_many, args=(url,)) for _ in range(2)]
    for process in processes:
        process.start()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(append_many, [url, url]))
    for process in processes:
        process.join()
    found = audit_chain.verify_log(store_engine)
    assert (found.bad, found.rows) == (None, before + 4 * APPENDS)
    with store_engine.connect() as connection:
        rows = [row for row in audit.read_log(connection) if row.action == "test.parallel"]
    assert len({row.detail["process"] for row in rows}) == 3


def test_a_decision_on_a_plan_is_logged_with_whoever_made_it(store):
    save_model_set(store, "set_a", "1", {"a.sql": "select 1"})
    for decision, who in (("rejected", "ada"), ("approved", "policy")):
        plan = save_plan(store, "acme", "set_a", {})
        open_review(store, plan.plan_id)
        assert decide_review(store, plan.plan_id, decision, decided_by=who)
        last = audit.find_last(store, "acme", f"plan.{decision}")
        assert (last.actor, last.detail) == (who, {"plan": plan.plan_id, "model_set": "set_a"})


def test_an_exported_row_is_json_and_carries_its_hash(log):
    row = list(audit.read_log(log, tenant="acme"))[-1]
    exported = audit.AuditRow.model_validate(json.loads(row.model_dump_json()))
    assert audit.hash_of(exported.model_dump()) == row.hash
    assert list(audit.read_log(log, tenant="nobody")) == []
    assert list(audit.read_log(log, since=row.recorded_at)) == [row]
