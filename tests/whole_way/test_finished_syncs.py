"""Syncs that Airbyte ran by itself, as it does on a schedule of its own: remembered by stream, and built from."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from analysis.errors import PermanentError
from orchestration import automation
from orchestration.resources.airbyte_records import ACTIVE
from orchestration.resources.airbyte_sync import sync_connection
from orchestration.settings import PROJECT_ROOT
from orchestration.stack.endpoints import load_endpoints
from orchestration.tenancy.adoption import adopt_tenant
from orchestration.tenancy.finished import finished_syncs
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.lock import run_lock
from orchestration.tenancy.provisioning import provision_source, provision_workspace
from orchestration.tenancy.sources import parse_source

HISTORY = (
    "select connection_name, stream, job_id, records_synced, bytes_synced > 0, status,"
    " started_at is not null and started_at <= last_sync_at from analytics.airbyte_sync_history"
    " where tenant_id = %s order by job_id, stream"
)


@pytest.fixture
def began(tmp_path):
    """A moment before anything of the test, and the folder of its records."""
    return datetime.now(UTC) - timedelta(seconds=1), tmp_path / "shop"


@pytest.fixture
def provide(airbyte, warehouse, stack, began):
    """A tenant as Airbyte has it, known to the control plane: its connection."""

    def make(tenant):
        write(began[1], 3)
        names = TenantNames(TenantId(tenant))
        workspace_id, destination_id = provision_workspace(airbyte, load_endpoints(stack.home), names)
        spec = parse_source(f"shop=file:path={began[1]}")
        connection, _ = provision_source(airbyte, names, workspace_id, destination_id, spec)
        adopt_tenant(warehouse, airbyte, tenant)
        return connection

    return make


def write(folder, count):
    folder.mkdir(exist_ok=True)
    for name in ("orders", "visits"):
        lines = [json.dumps({"id": number, "name": f"{name} {number}"}) for number in range(1, count + 1)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines))


def sync_as_airbyte_does(airbyte, connection):
    """A job that nobody here waits for to write it down."""
    job = airbyte.post_job(connection.id)
    while job.status in ACTIVE:
        time.sleep(0.05)
        job = airbyte.job(job.id)
    return job


def test_a_job_that_no_run_waited_for_enters_the_history_by_stream_once(stack, airbyte, warehouse, provide, began):
    connection = provide("looked_at")
    job = sync_as_airbyte_does(airbyte, connection)
    found = finished_syncs(warehouse, airbyte, began[0])
    assert stack.control(HISTORY, "looked_at") == [
        ("shop", "orders", str(job.id), 3, True, "succeeded", True),
        ("shop", "visits", str(job.id), 3, True, "succeeded", True),
    ]
    assert [each for each in found.new if each.tenant == "looked_at"] == [], "nothing is approved or published yet"
    assert found.since >= job.updated_at
    again = finished_syncs(warehouse, airbyte, began[0])
    assert (again.new, again.refused, len(stack.control(HISTORY, "looked_at"))) == ([], [], 2)


def test_a_job_that_failed_is_kept_and_told_until_one_succeeds(stack, airbyte, warehouse, provide, began):
    connection = provide("unlucky")
    (began[1] / "orders.jsonl").write_text("no record\n")
    job = sync_as_airbyte_does(airbyte, connection)
    assert finished_syncs(warehouse, airbyte, began[0]).new == []
    kept = [(stream, status) for _, stream, _, _, _, status, _ in stack.control(HISTORY, "unlucky")]
    assert kept == [("orders", "failed"), ("visits", "failed")]
    opened = "select step, sentence from sluice.incidents where tenant_id = 'unlucky' and resolved_at is null"
    ((step, sentence),) = stack.control(opened)
    assert step == "sync of shop" and sentence.startswith(f"Airbyte job {job.id} failed: ")
    write(began[1], 3)
    sync_as_airbyte_does(airbyte, connection)
    finished_syncs(warehouse, airbyte, began[0])
    assert stack.control(opened) == []


def test_syncs_of_a_tenant_that_runs_wait_for_the_runs_end(stack, airbyte, warehouse, provide, began):
    connection = provide("busy")
    with run_lock(warehouse.control, "busy"):
        job = sync_as_airbyte_does(airbyte, connection)
        held = finished_syncs(warehouse, airbyte, began[0])
        assert held.since <= job.updated_at and stack.control(HISTORY, "busy") == []
    finished_syncs(warehouse, airbyte, held.since)
    assert len(stack.control(HISTORY, "busy")) == 2


def test_a_job_of_a_connection_that_writes_elsewhere_by_now_is_refused(stack, airbyte, warehouse, provide, began):
    connection = provide("moved")
    sync_as_airbyte_does(airbyte, connection)
    elsewhere = {"namespaceDefinition": "custom_format", "namespaceFormat": "tenant_else"}
    airbyte.call("PATCH", f"/connections/{connection.id}", json=elsewhere)
    (refusal,) = finished_syncs(warehouse, airbyte, began[0]).refused
    assert "moved" in refusal and "tenant's namespace" in refusal
    assert stack.control(HISTORY, "moved") == []


def test_a_sync_that_a_run_waits_for_is_kept_also_when_it_fails(stack, airbyte, warehouse, provide, began):
    from orchestration.assets.ingestion import sync_source

    connection = provide("waited")
    workspace_id = airbyte.connection(connection.id).workspace_id
    streams = airbyte.configured_streams(connection.id)
    _, counts = sync_source(warehouse, airbyte, workspace_id, "waited", "shop", connection, streams)
    assert {name: (count.emitted, count.committed) for name, count in counts.items()} == {
        "orders": (3, 3),
        "visits": (3, 3),
    }
    (began[1] / "visits.jsonl").write_text("no record\n")
    with pytest.raises(PermanentError, match="failed: "):
        sync_source(warehouse, airbyte, workspace_id, "waited", "shop", connection, streams)
    statuses = [row[5] for row in stack.control(HISTORY, "waited")]
    assert statuses == ["succeeded"] * 2 + ["failed"] * 2


@pytest.mark.slow
def test_what_airbyte_synced_by_itself_is_built_and_published(stack, airbyte, warehouse, provide, began):
    connection = provide("timed")
    run_job(stack, "onboard_tenant", "timed")
    write(began[1], 5)
    sync_connection(airbyte, connection.workspace_id, connection.id, namespace="tenant_timed", seconds=60)
    context = dg.build_sensor_context(cursor=began[0].isoformat())
    result = automation.sync_finished(context, warehouse=warehouse, airbyte=airbyte)
    (request,) = [each for each in result.run_requests if each.partition_key == "timed"]
    assert request.run_key.startswith(f"synced:{connection.id}:")
    run_job(stack, "build_tenant", "timed")
    assert stack.published("timed") == 2
    again = automation.sync_finished(
        dg.build_sensor_context(cursor=result.cursor), warehouse=warehouse, airbyte=airbyte
    )
    assert again.run_requests == []
    newest = "select records_synced from analytics.airbyte_sync_history where tenant_id = 'timed' and job_id = %s"
    assert stack.control(newest, request.run_key.rpartition(":")[2]) == [(5,), (5,)]


def run_job(stack, job, tenant):
    code = "import sys; from orchestration.execution import run_job; from orchestration.settings import load_settings;"
    code += "run_job(load_settings(), sys.argv[1], sys.argv[2], print)"
    command = [sys.executable, "-W", "ignore", "-c", code, job, tenant]
    done = subprocess.run(command, env=stack.environment, cwd=PROJECT_ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
