from analysis.store import runs


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
