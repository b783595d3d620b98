import json
import multiprocessing

import dagster as dg
import pytest
from sqlalchemy import text

from analysis.errors import PermanentError, RetryableError
from analysis.store import audit
from analysis.store.plans import decide_review, latest_plan, open_review, save_model_set, save_plan
from orchestration.assets import ingestion
from orchestration.partitions import tenants
from orchestration.resources.tenant_run import TenantRun
from orchestration.resources.warehouse import Warehouse
from orchestration.settings import Settings
from orchestration.stack.endpoints import Endpoints
from orchestration.tenancy import erasure, registry, removal
from orchestration.tenancy.lock import RunLock, end_run, is_running, run_lock
from orchestration.tenancy.publishing import releases
from orchestration.tenancy.raw_names import temporary_table_name
from orchestration.tenancy.walls import credentials

WHO_HAS = """
select table_schema || '.' || table_name from information_schema.columns
where column_name in ('tenant_id', 'tenant') and table_schema in ('sluice', 'analytics')
"""


@pytest.fixture
def warehouse(warehouse_url, key):
    none = dict.fromkeys(("airbyte_client_id", "airbyte_client_secret", "loader_login", "loader_password"), "")
    endpoints = Endpoints(control_url=warehouse_url, dagster_url="", airbyte_url="", **none)
    made = Warehouse(Settings(), lambda: endpoints)
    made.key = key
    return made


def actions(engine, tenant):
    with engine.connect() as connection:
        return [row.action for row in audit.read_log(connection, tenant=str(tenant))]


def approve_a_plan(engine, tenant, model_set):
    with engine.begin() as connection:
        save_model_set(connection, model_set, "1", {"a.sql": "select 1"})
        plan = save_plan(connection, str(tenant), model_set, {})
        open_review(connection, plan.plan_id)
        decide_review(connection, plan.plan_id, "approved", decided_by="policy")
    return plan


def mentions(engine, tenant):
    """Every place in the control plane and the fleet where the tenant has rows."""
    with engine.connect() as connection:
        tables = [table for (table,) in connection.execute(text(WHO_HAS))]
        own = "select from {} as own where to_jsonb(own)->>'tenant_id' = :tenant or to_jsonb(own)->>'tenant' = :tenant"
        return {
            table
            for table in tables
            if connection.execute(text(f"select exists ({own.format(table)})"), {"tenant": str(tenant)}).scalar_one()
        }


def test_a_removed_tenant_that_is_added_again_has_its_plans(add_tenant, engine, name):
    tenant = add_tenant(name)
    plan = approve_a_plan(engine, tenant, f"set_{name}")
    first = tenant.publish()
    removal.remove_tenant(engine, name)
    assert name not in [row.tenant_id for row in registry.list_tenants(engine)]
    with pytest.raises(PermanentError, match="was removed"):
        registry.show_tenant(engine, name)
    assert registry.show_tenant(engine, name, even_removed=True).tenant.status == "removed"
    assert [row.status for row in registry.show_tenant(engine, name, even_removed=True).releases] == ["dropped"]
    removal.remove_tenant(engine, name)
    add_tenant(name)
    with engine.connect() as connection:
        assert latest_plan(connection, name, "approved").plan_id == plan.plan_id
    assert tenant.publish() > first
    assert tenant.seen() > first
    assert actions(engine, name) == [
        "tenant.add",
        "plan.approved",
        "release.publish",
        "tenant.remove",
        "tenant.removed",
        "tenant.add",
        "release.publish",
    ]


def test_an_erased_tenant_is_nowhere_but_in_the_audit_log(add_tenant, engine, tmp_path, name, other):
    tenant = add_tenant(name)
    approve_a_plan(engine, tenant, f"set_{name}")
    approve_a_plan(engine, other, f"set_{other}")
    tenant.publish()
    for folder in (f"logs/dbt/tenant_{name}", f"model_sets/set_{name}", f"model_sets/set_{other}", "manifests"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").write_text("text")
    (tmp_path / f"manifests/set_{name}-abc.msgpack").write_text("text")
    with pytest.raises(PermanentError, match="remove it first"):
        erasure.erase_records(engine, name)
    removal.remove_tenant(engine, name)
    assert "sluice.model_plans" in mentions(engine, name)
    places = erasure.erase_files(engine, name, tmp_path)
    receipt = erasure.erase_records(engine, name, places)
    assert mentions(engine, name) == {"sluice.audit_log"}
    assert {path.parent.name for path in tmp_path.rglob("file")} == {f"set_{other}", "manifests"}
    assert not list(tmp_path.rglob("*.msgpack"))
    assert receipt.places == places == {"dbt logs": 1, "model set files": 1, "manifests": 1}
    assert (receipt.records["model_plans"], receipt.records["model_sets"], receipt.records["tenants"]) == (1, 1, 1)
    assert erasure.find_receipt(engine, name) == receipt
    assert erasure.find_receipt(engine, str(other)) is None
    with pytest.raises(PermanentError, match="no such tenant"):
        registry.show_tenant(engine, name, even_removed=True)
    with engine.connect() as connection:
        row = audit.find_last(connection, name, "tenant.erased")
        assert (row.hash, row.seq) == (receipt.audit_hash, receipt.audit_row)
    assert mentions(engine, other) >= {"sluice.tenants", "sluice.model_plans", "sluice.tenant_sources"}


@pytest.mark.parametrize("table", ["sluice.releases", "sluice.audit_log"])
def test_a_removal_or_an_erasure_that_is_killed_is_finished_by_the_next(
    add_tenant, engine, kill_while_it_waits, name, table
):
    tenant = add_tenant(name)
    tenant.publish()

    def remove():
        removal.remove_tenant(engine, name)
        erasure.erase_records(engine, name)

    removal.begin_removal(engine, name)
    kill_while_it_waits(remove, table)
    assert registry.show_tenant(engine, name).tenant.status == "removing"
    removal.remove_tenant(engine, name)
    kill_while_it_waits(lambda: erasure.erase_records(engine, name), table)
    assert registry.show_tenant(engine, name, even_removed=True).tenant.status == "removed"
    erasure.erase_records(engine, name)
    assert mentions(engine, name) == {"sluice.audit_log"}
    assert actions(engine, name)[-3:] == ["tenant.remove", "tenant.removed", "tenant.erased"]


def hold_the_lock(engine, tenant, ready, lost):
    with run_lock(engine, tenant) as lock:
        ready.set()
        while True:
            try:
                lock.check()
            except RetryableError:
                lost.set()
                return


def test_a_run_in_another_process_loses_its_right_and_the_tenant_is_removed(tenant):
    context = multiprocessing.get_context("fork")
    ready, lost = context.Event(), context.Event()
    process = context.Process(target=hold_the_lock, args=(tenant.engine, str(tenant), ready, lost))
    process.start()
    assert ready.wait(10) and is_running(tenant.engine, str(tenant))
    assert end_run(tenant.engine, str(tenant))
    assert lost.wait(10)
    process.join()
    assert not end_run(tenant.engine, str(tenant))
    removal.remove_tenant(tenant.engine, str(tenant))


def test_a_second_removal_at_once_takes_over_and_the_first_stops(tenant, monkeypatch):
    tenant.publish()
    check = RunLock.check

    def interrupted(lock):
        end_run(tenant.engine, str(tenant))
        check(lock)

    monkeypatch.setattr(RunLock, "check", interrupted)
    with pytest.raises(RetryableError, match="lock was lost"):
        removal.remove_tenant(tenant.engine, str(tenant))
    monkeypatch.undo()
    removal.remove_tenant(tenant.engine, str(tenant))
    assert tenant.schemas() == set()


def test_rows_that_a_killed_load_left_go_with_their_tenant(tenant, other):
    temporary = {each: temporary_table_name(each.names.raw, "stripe_charges") for each in (tenant, other)}
    with tenant.engine.begin() as connection:
        registry.rows.set_streams(connection, str(tenant), "stripe", [{"name": "charges"}])
    for name in temporary.values():
        tenant.load("airbyte_internal", name)
    removal.remove_tenant(tenant.engine, str(tenant))
    with tenant.engine.connect() as connection:
        left = {
            name
            for name in temporary.values()
            if connection.execute(text(f"select to_regclass('airbyte_internal.{name}')")).scalar()
        }
    assert left == {temporary[other]}


def test_what_is_done_to_a_tenant_is_logged_without_its_secrets(tenant):
    engine, name = tenant.engine, str(tenant)
    tenant.publish()
    tenant.publish()
    releases.rollback(engine, name)
    registry.pause_tenant(engine, name, "contract under review")
    registry.resume_tenant(engine, name)
    credentials.renew_passwords(engine, name, tenant.key)
    registry.add_tenant(engine, tenant.key, name, {"stripe": "file"})
    registry.add_tenant(engine, tenant.key, name, {"github": "file"})
    assert actions(engine, name) == [
        "tenant.add",
        "release.publish",
        "release.publish",
        "release.rollback",
        "tenant.pause",
        "tenant.resume",
        "passwords.renew",
        "tenant.add",
    ]
    with engine.connect() as connection:
        rows = list(audit.read_log(connection, tenant=name))
        urls = [read(connection, name, tenant.key) for read in (credentials.reader_url, credentials.builder_url)]
    assert rows[-1].detail == {"sources": {"github": "file"}}
    assert (rows[3].detail, rows[4].detail) == ({"release": 1}, {"reason": "contract under review"})
    written = json.dumps([row.model_dump(mode="json") for row in rows])
    for url in urls:
        assert url.split(":")[2].split("@")[0] not in written


def test_a_secret_that_is_taken_is_logged_once_per_run(tenant, warehouse):
    engine, name = tenant.engine, str(tenant)
    for run in ("run-1", "run-2"):
        with audit.within_run(run):
            for _ in range(3):
                warehouse.builder_url(name)
    assert warehouse.reader_url(name) == warehouse.reader_url(name)
    with engine.connect() as connection:
        read = [row for row in audit.read_log(connection, tenant=name) if row.action == "secret.read"]
    assert [(row.run_id, row.detail["login"]) for row in read] == [
        ("run-1", "builder"),
        ("run-2", "builder"),
        (None, "reader"),
    ]


def test_no_step_begins_once_a_removal_took_the_lock(tenant, warehouse):
    name = str(tenant)
    with dg.DagsterInstance.ephemeral() as instance, run_lock(tenant.engine, name) as lock:
        instance.add_dynamic_partitions(tenants.name, [name])
        resources = {"warehouse": warehouse, "tenant_run": TenantRun(tenant.names.tenant, lock)}
        end_run(tenant.engine, name)
        done = dg.materialize(
            [ingestion.drift], partition_key=name, instance=instance, resources=resources, raise_on_error=False
        )
    (failed,) = (event for event in done.all_node_events if event.is_step_failure)
    assert "lock was lost" in failed.step_failure_data.user_failure_data.description
