from concurrent.futures import ThreadPoolExecutor

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import make_url, text

from analysis.store import fleet, tables
from analysis.store.connect import open_engine
from analysis.store.migrate import current_revision, head_revision, upgrade
from orchestration.stack import bootstrap


def differences(url):
    options = {
        "include_schemas": True,
        "include_name": lambda name, kind, parents: kind != "schema" or name in (tables.SCHEMA, fleet.SCHEMA),
        "version_table_schema": tables.SCHEMA,
        "compare_type": True,
        "compare_server_default": True,
    }
    with open_engine(url).connect() as connection:
        return compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata)


def relations(url):
    query = "select oid, relname from pg_class where relnamespace = any(array['sluice', 'analytics']::regnamespace[])"
    with open_engine(url).connect() as connection:
        return set(connection.execute(text(query)).all())


def test_an_empty_database_is_brought_to_what_the_tables_say(database):
    assert current_revision(database) is None
    upgrade(database)
    assert current_revision(database) == head_revision()
    assert differences(database) == []


def test_a_second_upgrade_changes_nothing(database):
    upgrade(database)
    before = relations(database)
    upgrade(database)
    assert relations(database) == before


def test_two_upgrades_at_once_wait_for_each_other(database):
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(upgrade, [database, database]))
    assert current_revision(database) == head_revision()


def test_rows_survive_an_upgrade(database):
    upgrade(database)
    with open_engine(database).begin() as connection:
        connection.execute(tables.tenants.insert().values(tenant_id="acme"))
    upgrade(database)
    with open_engine(database).connect() as connection:
        assert connection.execute(tables.tenants.select()).one().tenant_id == "acme"


def test_the_comparison_would_notice_a_missing_column(database):
    upgrade(database)
    with open_engine(database).begin() as connection:
        connection.execute(text("alter table sluice.releases drop column counts"))
    assert differences(database)


def test_what_was_once_sampled_of_the_fleet_is_forgotten(postgres, database):
    def sampled():
        columns = "select attname::text from pg_stats where schemaname = 'analytics' order by 1"
        with open_engine(bootstrap.with_database(postgres.admin_url, make_url(database).database)).connect() as admin:
            return admin.execute(text(columns)).scalars().all()

    upgrade(database)
    with open_engine(database).begin() as connection:  # as the revision before had it
        connection.execute(text("update sluice.alembic_version set version_num = '0005'"))
        for column in ("tenant_id", "stale_reason"):  # the one is in a policy and a view, the other in a view
            connection.execute(text(f"alter table analytics.current_release alter {column} set statistics -1"))
        rows = "select 't' || n, 1, 'r' || n from generate_series(1, 9) as n"
        connection.execute(text(f"insert into analytics.current_release (tenant_id, release, stale_reason) {rows}"))
        connection.execute(text("analyze analytics.current_release"))
    assert sampled() == ["stale_reason", "tenant_id"]
    upgrade(database)
    assert sampled() == []
