"""Each benchmark works, and says what it must; how fast anything is, is no test's business."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def found_by(script, *options):
    command = [sys.executable, "-W", "ignore", str(FOLDER / script), "--json", "--rounds", "1", *options]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=FOLDER.parents[1])
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout)


@pytest.mark.slow
def test_the_loader_is_compared_with_copy_at_every_size():
    found = found_by("loader.py", "--no-dlt", "--records", "300", "1503")
    assert found["ratio_vs_dlt_replace"] is found["ratio_dedup_vs_dlt_merge"] is None
    assert found["ratio_vs_copy"] > 0
    assert found["peak_mib"] > 0
    ways = ("loader_replace", "loader_deduped", "copy", "copy_and_index")
    rates = found["records_per_second"]
    assert {name: set(rates[name]) for name in ways} == {name: {"300", "1503"} for name in ways}


@pytest.mark.slow
def test_a_live_sync_is_compared_with_its_connector_alone():
    found = found_by("live_sync.py", "--records", "1200")
    assert found["records"] == 1200
    assert min(found["seconds_connector"], found["seconds_server"], found["seconds_empty_incremental"]) > 0
    assert found["added_by_server"] > -1


@pytest.mark.slow
def test_connections_are_listed_by_our_client_and_by_dagster():
    found = found_by("listing.py", "--records", "4")
    assert found["connections"] == 4
    assert found["seconds_details"] > 0
    assert found["seconds_dagster_airbyte"] > 0
