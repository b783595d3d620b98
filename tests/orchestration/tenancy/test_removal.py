from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import exc, text

from analysis.errors import PermanentError
from orchestration.tenancy import registry, removal, schemas
from orchestration.tenancy.lock import TenantBusyError, run_lock
from orchestration.tenancy.publishing import builds, releases, sealing
from orchestration.tenancy.walls.roles import role_exists


def test_a_removed_tenant_leaves_nothing_and_its_neighbours_everything(add_tenant, engine, other, name):
    tenant = add_tenant(name)
    for each in (tenant, other):
        each.load(each.names.raw, "stripe_charges")
        each.publish()
        each.publish()
    entry = (
        "insert into analytics.airbyte_sync_history (tenant_id, connection_id, connection_name, job_id, status)"
        " values (:tenant, 'c1', 'stripe', '1', 'succeeded')"
    )
    with engine.begin() as connection:
        connection.execute(text(entry), [{"tenant": name}, {"tenant": str(other)}])
    open_session = tenant.reader.connect()
    open_session.execute(text("select * from dashboard_summary"))
    removal.remove_tenant(engine, name)
    assert tenant.schemas() == set()
    with engine.connect() as connection:
        assert not role_exists(connection, tenant.names.reader) and not role_exists(connection, tenant.names.builder)
        for table in ("dashboard_summary", "current_release", "airbyte_sync_history"):
            left = connection.execute(text(f"select distinct tenant_id from analytics.{table}")).scalars().all()
            assert name not in left and str(other) in left
        with pytest.raises(exc.ProgrammingError, match="permission denied"):
            connection.execute(text("delete from analytics.airbyte_sync_history"))
    assert other.seen() == 2
    open_session.invalidate()
    assert add_tenant(name).schemas() == {tenant.names.raw, tenant.names.history}


def test_ids_that_begin_alike_are_not_removed_together(add_tenant, engine):
    longer = add_tenant("acme_analytics_r1")
    add_tenant("acme")
    longer.publish()
    removal.remove_tenant(engine, "acme")
    assert longer.seen() == 1


def test_a_tenant_in_a_run_is_not_removed(tenant):
    with run_lock(tenant.engine, str(tenant)), pytest.raises(TenantBusyError, match=str(tenant)):
        removal.remove_tenant(tenant.engine, str(tenant))
    assert registry.show_tenant(tenant.engine, str(tenant)).tenant.status == "active"


def test_nothing_is_published_once_a_removal_has_begun(add_tenant, engine, name, as_admin):
    tenant = add_tenant(name)
    tenant.load(tenant.names.raw, "stripe_charges")
    for _ in range(2):
        tenant.publish()
    tenant.build()
    sealing.seal_build(engine, name)
    waiting = "select 1 from pg_stat_activity where datname = 'test_tenancy' and wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as aside:
        with tenant.loader.connect() as loading:  # the removal knows its schemas and waits for this one
            loading.execute(text(f"lock table {tenant.names.raw}.stripe_charges in share mode"))
            removing = aside.submit(removal.remove_tenant, engine, name)
            while not as_admin(waiting):
                assert not removing.done()
            for step in (releases.rollback, releases.publish, builds.open_build):
                with pytest.raises(PermanentError, match="is being removed"):
                    step(engine, name)
        removing.result()
    assert tenant.schemas() == set()


def test_an_unknown_tenant_is_an_error(engine):
    with pytest.raises(PermanentError, match="no such tenant"):
        removal.remove_tenant(engine, "nobody")


def test_a_sweep_drops_what_dead_runs_left_and_spares_running_tenants(tenant, other):
    for each in (tenant, other):
        each.publish()
        schemas.open_sample(each.engine, str(each))
        schemas.open_scratch(each.engine, str(each))
        each.build()
    with run_lock(other.engine, str(other)):
        dropped = removal.sweep_orphans(tenant.engine)
    assert set(dropped) == {tenant.names.sample, tenant.names.scratch, tenant.names.build}
    assert {tenant.names.raw, tenant.names.history, tenant.names.analytics} == tenant.schemas()
    assert {other.names.sample, other.names.scratch, other.names.build} <= other.schemas()
    published = registry.show_tenant(tenant.engine, str(tenant)).releases[-1]
    assert published.status == "published" and published.is_stale
    assert tenant.seen() < tenant.publish()


def test_a_second_sweep_finds_nothing(tenant):
    tenant.publish()
    assert removal.sweep_tenant(tenant.engine, str(tenant)) == []
    assert not registry.show_tenant(tenant.engine, str(tenant)).releases[0].is_stale


def test_a_dead_builders_work_is_ended_before_its_schema_goes(tenant):
    schemas.open_scratch(tenant.engine, str(tenant))
    zombie = tenant.builder.connect()
    zombie.execute(text(f"create table {tenant.names.scratch}.proof as select 1 as id"))
    schemas.open_scratch(tenant.engine, str(tenant))
    with pytest.raises(exc.OperationalError):
        zombie.execute(text("select 1"))
    zombie.invalidate()
    assert builds.open_build(tenant.engine, str(tenant)).number == 1
