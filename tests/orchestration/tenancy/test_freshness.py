"""A release that is older than it should be says so, and why, wherever it is looked at."""

import dagster as dg
import psycopg
import pytest
from dagster import AssetCheckKey
from sqlalchemy import exc, text

from analysis.errors import PermanentError, RetryableError
from orchestration.assets import ingestion, transformation
from orchestration.assets.freshness import FRESH, RELEASE
from orchestration.assets.steps import tenant_step
from orchestration.partitions import tenants
from orchestration.resources.tenant_run import TenantRun
from orchestration.resources.warehouse import Warehouse
from orchestration.settings import Settings
from orchestration.stack import bootstrap
from orchestration.stack.endpoints import Endpoints
from orchestration.tenancy import registry
from orchestration.tenancy.publishing import builds, releases

Warehouses, TenantRuns = dg.ResourceParam[Warehouse], dg.ResourceParam[TenantRun]
QUERY = text("select tenant_id, release, is_stale, stale_reason, published_at is not null from analytics.freshness")


def fresh(tenant):
    """What the tenant's reader finds of its own release: its number and why it is stale."""
    with tenant.reader.connect() as connection:
        ((owner, number, is_stale, reason, is_dated),) = connection.execute(QUERY).all()
    assert owner == str(tenant) and is_dated and is_stale == (reason is not None)
    published = [row for row in registry.show_tenant(tenant.engine, owner).releases if row.status == "published"]
    assert [(row.number, row.is_stale, row.stale_reason) for row in published] == [(number, is_stale, reason)]
    return number, reason


@pytest.fixture
def dagster(tenant, warehouse_url):
    """Run an asset for the tenant in a Dagster of its own; the latest word of the release's check."""
    none = dict.fromkeys(("airbyte_client_id", "airbyte_client_secret", "loader_login", "loader_password"), "")
    endpoints = Endpoints(control_url=warehouse_url, dagster_url="", airbyte_url="", **none)
    warehouse = Warehouse(Settings(), lambda: endpoints)
    resources = {"warehouse": warehouse, "tenant_run": TenantRun(tenant.names.tenant), "airbyte": None}
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(tenants.name, [str(tenant)])

        def run(asset):
            done = dg.materialize(
                [asset], partition_key=str(tenant), instance=instance, resources=resources, raise_on_error=False
            )
            key = AssetCheckKey(RELEASE, FRESH)
            latest = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
            evaluation = latest.event.dagster_event.event_specific_data
            assert latest.run_id == done.run_id and evaluation.partition == str(tenant)
            return done.success, evaluation.passed, evaluation.description

        yield run


def test_the_release_asset_says_that_what_it_published_is_fresh(tenant, dagster):
    tenant.publish()
    builds.abandon_build(tenant.engine, str(tenant), "A test failed.")
    number = tenant.build()
    assert dagster(transformation.release) == (True, True, None)
    assert fresh(tenant) == (number, None)


def test_whatever_fails_before_the_swap_marks_the_release_and_fails_its_check_with_the_reason(tenant, dagster):
    number = tenant.publish()
    reason = "The tenant has no finished build to publish; build first."
    assert dagster(transformation.release) == (False, False, reason)
    assert fresh(tenant) == (number, reason)
    success, passed, reason = dagster(ingestion.drift)
    assert (success, passed) == (False, False) and "no approved plan" in reason
    assert fresh(tenant) == (number, reason)


def test_what_nobody_foresaw_marks_the_release_without_its_text(tenant, dagster):
    @dg.asset(partitions_def=tenants)
    def broken(context: dg.AssetExecutionContext, warehouse: Warehouses, tenant_run: TenantRuns) -> None:
        with tenant_step(context, warehouse):
            raise ZeroDivisionError("a password")

    number = tenant.publish()
    assert dagster(broken) == (False, False, "Step broken did not finish: ZeroDivisionError.")
    assert fresh(tenant) == (number, "Step broken did not finish: ZeroDivisionError.")


def test_a_step_whose_database_is_gone_fails_with_its_sentence(tenant, dagster, as_admin):
    told = []

    @dg.asset(partitions_def=tenants)
    def cut_off(context: dg.AssetExecutionContext, warehouse: Warehouses, tenant_run: TenantRuns) -> None:
        try:
            with tenant_step(context, warehouse):
                as_admin(f"alter role {bootstrap.CONTROL} nologin")
                raise RetryableError("The source hung up.")
        except Exception as error:
            told.append(error)
            raise
        finally:
            as_admin(f"alter role {bootstrap.CONTROL} login")

    with pytest.raises((KeyError, AttributeError, AssertionError)):  # nothing of the release's check could be stored
        dagster(cut_off)
    assert [(type(error), error.description) for error in told] == [(dg.Failure, "The source hung up.")]


def test_a_failure_after_the_swap_leaves_the_release_fresh(tenant, dagster):
    @dg.asset(partitions_def=tenants)
    def late(context: dg.AssetExecutionContext, warehouse: Warehouses, tenant_run: TenantRuns) -> None:
        with tenant_step(context, warehouse, before_swap=False):
            raise PermanentError("The report failed.")

    tenant.publish()
    tenant.build()
    dagster(transformation.release)
    with pytest.raises(AssertionError):  # the check's latest word is not of this run
        dagster(late)
    assert fresh(tenant) == (2, None)


def test_a_first_build_that_fails_fails_the_check_though_nothing_is_published(tenant, dagster):
    success, passed, reason = dagster(transformation.release)
    assert (success, passed) == (False, False) and reason.startswith("Nothing is published yet. ")


def test_a_rollback_says_who_went_back_until_the_newest_release_is_read_again(tenant):
    first, second, third = (tenant.publish() for _ in range(3))
    releases.rollback(tenant.engine, str(tenant), first)
    number, reason = fresh(tenant)
    assert number == first and reason.startswith(f"Rolled back from release {third} by ")
    releases.rollback(tenant.engine, str(tenant), second)
    assert fresh(tenant)[1] == reason
    releases.rollback(tenant.engine, str(tenant), third)
    assert fresh(tenant) == (third, None)


def test_a_failure_while_rolled_back_is_not_forgotten_by_going_forward(tenant):
    tenant.publish()
    second = tenant.publish()
    releases.rollback(tenant.engine, str(tenant))
    builds.abandon_build(tenant.engine, str(tenant), "A test failed.")
    releases.rollback(tenant.engine, str(tenant), second)
    assert fresh(tenant) == (second, "A test failed.")
    assert fresh(tenant)[0] < tenant.publish() and fresh(tenant)[1] is None


def test_freshness_names_the_newest_sync_that_succeeded_and_only_the_readers_own_row(tenant, other):
    add = text(
        "insert into analytics.airbyte_sync_history"
        " (tenant_id, connection_id, connection_name, stream, job_id, status, last_sync_at)"
        " values (:tenant, 'c1', 'stripe', 'charges', :job, :status, :at)"
    )
    with tenant.engine.begin() as connection:
        for job, status, at in (("1", "succeeded", "2026-03-01"), ("2", "failed", "2026-03-02")):
            connection.execute(add, {"tenant": str(tenant), "job": job, "status": status, "at": at})
        connection.execute(add, {"tenant": str(other), "job": "1", "status": "succeeded", "at": "2026-03-03"})
    tenant.publish()
    other.publish()
    builds.abandon_build(other.engine, str(other), "A secret of the other's.")
    query = text("select tenant_id, newest_sync_at::date::text, stale_reason from analytics.freshness order by 1")
    with tenant.reader.connect() as connection:
        assert connection.execute(query).all() == [(str(tenant), "2026-03-01", None)]
    with tenant.engine.connect() as connection:
        both = [row for row in connection.execute(query) if row[0] in (str(tenant), str(other))]
    assert {row[2] for row in both} == {None, "A secret of the other's."}
    with pytest.raises(exc.ProgrammingError, match="permission denied"), tenant.builder.connect() as connection:
        connection.execute(query)


def test_the_walls_behind_freshness_stand_on_the_table_and_are_forced(warehouse_url, postgres):
    query = """
        select relname, relrowsecurity, relforcerowsecurity, reloptions from pg_class
        where oid in ('analytics.current_release'::regclass, 'analytics.freshness'::regclass) order by 1
    """
    with psycopg.connect(bootstrap.with_database(postgres.admin_url, "test_tenancy")) as admin:
        assert admin.execute(query).fetchall() == [
            ("current_release", True, True, None),
            ("freshness", False, False, ["security_invoker=true"]),
        ]


def test_stale_releases_are_listed_with_their_reasons_and_tenants_are_counted(tenant, other):
    for each in (tenant, other):
        each.publish()
    builds.abandon_build(other.engine, str(other), "A test failed.")
    stale = {row.tenant_id: row.stale_reason for row in registry.stale_releases(tenant.engine)}
    assert stale[str(other)] == "A test failed." and str(tenant) not in stale
    before = registry.count_tenants(tenant.engine)
    registry.pause_tenant(tenant.engine, str(tenant), "A test.")
    after = registry.count_tenants(tenant.engine)
    assert after["paused"] == before.get("paused", 0) + 1 and after["active"] == before["active"] - 1
