from sqlalchemy import select

from analysis.store import fleet, runs


def finish(store, job):
    return runs.finish_sync(store, "acme", "stripe", job, status="succeeded", rows={"a": 2, "b": 3}, byte_count=70)


def test_a_sync_enters_the_history_once_however_often_it_is_reported(store):
    runs.start_sync(store, "acme", "stripe", "7")
    assert finish(store, "7")
    assert not finish(store, "7")
    (entry,) = store.execute(select(fleet.airbyte_sync_history)).all()
    assert (entry.row_count, entry.byte_count, entry.rows_by_stream) == (5, 70, {"a": 2, "b": 3})
    (sync,) = runs.list_syncs(store, "acme")
    assert sync.status == "succeeded" and sync.finished_at is not None


def test_resolving_closes_the_incidents_of_a_step(store):
    runs.record_incident(store, "acme", "sync", "The source is down.", is_permanent=False)
    runs.record_incident(store, "acme", "build", "A test failed.", is_permanent=True, keys={"test": "unique"})
    assert runs.resolve_incidents(store, "acme", step="sync") == 1
    (left,) = runs.open_incidents(store)
    assert (left.step, left.keys) == ("build", {"test": "unique"})


def test_an_incident_is_stored_whatever_the_failing_data_held(store):
    runs.record_incident(
        store, "acme", "sync", "Line 3 is no JSON: \x00\udcff", is_permanent=True, keys={"line": "\x00", "at": {1}}
    )
    (incident,) = runs.open_incidents(store, "acme")
    assert incident.sentence == "Line 3 is no JSON: ?"
    assert incident.keys == {"line": "", "at": "{1}"}
