from datetime import UTC, datetime

from sqlalchemy import select, text

from analysis.store import syncs
from analysis.store.fleet import airbyte_sync_history as history
from analysis.store.syncs import EndedSync, StreamCount
from analysis.store.tables import sync_runs

STARTED, ENDED = datetime(2026, 3, 1, 4, tzinfo=UTC), datetime(2026, 3, 1, 5, tzinfo=UTC)


def ended(job_id="7", status="succeeded", **streams):
    return EndedSync("c1", "stripe", job_id, status, STARTED, ENDED, streams)


def rows(store):
    columns = [each for each in history.c if each is not history.c.sync_id]
    return [tuple(row) for row in store.execute(select(*columns).order_by(history.c.sync_id))]


def test_a_job_enters_the_history_by_stream_and_once_however_often_it_is_told(store):
    job = ended(charges=StreamCount(2, 40), refunds=StreamCount(3, 30))
    assert syncs.record_sync(store, "acme", "stripe", job)
    assert not syncs.record_sync(store, "acme", "stripe", job)
    assert rows(store) == [
        ("acme", "c1", "stripe", "charges", "7", 2, 40, "succeeded", STARTED, ENDED),
        ("acme", "c1", "stripe", "refunds", "7", 3, 30, "succeeded", STARTED, ENDED),
    ]
    (note,) = store.execute(select(sync_runs)).all()
    assert (note.job_id, note.rows, note.bytes) == ("7", {"charges": 2, "refunds": 3}, 70)
    assert (note.started_at, note.finished_at) == (STARTED, ENDED)


def test_jobs_that_failed_are_kept_and_one_of_no_known_stream_has_one_row(store):
    assert syncs.record_sync(store, "acme", "stripe", ended("8", "failed"))
    assert not syncs.record_sync(store, "acme", "stripe", ended("8", "failed"))
    assert syncs.record_sync(store, "acme", "stripe", ended("9", "cancelled", charges=StreamCount(0, 0)))
    assert [row[3:8] for row in rows(store)] == [(None, "8", None, None, "failed"), ("charges", "9", 0, 0, "cancelled")]


def test_a_number_that_another_airbyte_gives_out_again_is_another_job(store):
    syncs.record_sync(store, "acme", "stripe", ended(charges=StreamCount(2, 40)))
    moved = EndedSync("c2", "stripe", "7", "succeeded", streams={"charges": StreamCount(5, 50)})
    assert syncs.record_sync(store, "acme", "stripe", moved)
    assert [row[1] for row in rows(store)] == ["c1", "c2"]
    (note,) = store.execute(select(sync_runs)).all()
    assert note.rows == {"charges": 5}


def test_recorded_syncs_are_told_apart_by_tenant_connection_and_job(store):
    assert syncs.newest_sync_at(store) is None
    syncs.record_sync(store, "acme", "stripe", ended())
    keys = [("acme", "c1", "7"), ("acme", "c1", "8"), ("acme", "c2", "7"), ("other", "c1", "7")]
    assert syncs.recorded_syncs(store, keys) == {("acme", "c1", "7")}
    assert syncs.recorded_syncs(store, []) == set()
    assert syncs.newest_sync_at(store) == ENDED


def test_a_tenants_deletion_leaves_no_note_of_its_jobs(store):
    syncs.record_sync(store, "acme", "stripe", ended())
    store.execute(text("delete from sluice.tenants where tenant_id = 'acme'"))
    assert store.execute(select(sync_runs)).all() == []
