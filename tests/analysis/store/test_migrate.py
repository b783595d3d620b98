from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import exc, make_url, text

from analysis.store import fleet, migrate, tables
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


def upgrade_to(url, revision):
    """The database as an earlier version left it."""
    with open_engine(url).begin() as connection:
        connection.execute(text(f"create schema if not exists {tables.SCHEMA}"))
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


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

    upgrade_to(database, "0005")
    with open_engine(database).begin() as connection:
        rows = "select 't' || n, 1, 'r' || n from generate_series(1, 9) as n"
        connection.execute(text(f"insert into analytics.current_release (tenant_id, release, stale_reason) {rows}"))
        connection.execute(text("analyze analytics.current_release"))
    assert {"stale_reason", "tenant_id"} <= set(sampled())  # the one is in a view, the other in a policy too
    upgrade(database)
    assert sampled() == []


OLD_SYNCS = """
insert into analytics.airbyte_sync_history (
    tenant_id, source, connection_id, job_id, status, rows_by_stream, row_count, byte_count, started_at, finished_at
) values
    ('acme', 'shop', 'c1', '7', 'succeeded', '{"orders": 2, "visits": 3}', 5, 70, '2026-03-01', '2026-03-02'),
    ('acme', 'crm', null, '8', 'succeeded', '{"people": 4}', 4, 90, null, '2026-03-03'),
    ('beta', 'crm', null, '8', 'failed', '{}', 0, 0, null, '2026-03-04')
"""


def test_the_history_by_job_is_brought_over_by_stream_behind_the_same_wall(postgres, database):
    upgrade_to(database, "0006")
    with open_engine(database).begin() as connection:
        connection.execute(text(OLD_SYNCS))
        connection.execute(text("insert into analytics.current_release (tenant_id, release) values ('acme', 1)"))
    upgrade(database)
    columns = "tenant_id, connection_id, connection_name, stream, job_id, records_synced, bytes_synced, status"
    dates = "started_at::date::text, last_sync_at::date::text"
    query = text(f"select {columns}, {dates} from analytics.airbyte_sync_history order by sync_id")
    with open_engine(database).begin() as connection:
        assert [tuple(row) for row in connection.execute(query)] == [
            ("acme", "c1", "shop", "orders", "7", 2, None, "succeeded", "2026-03-01", "2026-03-02"),
            ("acme", "c1", "shop", "visits", "7", 3, None, "succeeded", "2026-03-01", "2026-03-02"),
            ("acme", "crm", "crm", "people", "8", 4, 90, "succeeded", None, "2026-03-03"),
            ("beta", "crm", "crm", None, "8", None, 0, "failed", None, "2026-03-04"),
        ]
        newest = text("select newest_sync_at::date::text from analytics.freshness")
        assert connection.execute(newest).scalars().all() == ["2026-03-03"]
        sampled = "select count(*) from pg_attribute where attrelid = 'analytics.airbyte_sync_history'::regclass"
        kept = connection.execute(text(f"{sampled} and attnum > 0 and not attisdropped and attstattarget <> 0"))
        assert kept.scalar() == 0
        forced = "select relforcerowsecurity from pg_class where oid = 'analytics.airbyte_sync_history'::regclass"
        assert connection.execute(text(forced)).scalar()
    for statement in ("update {} set status = 'x'", "delete from {}", "truncate {}"):
        with open_engine(database).begin() as connection, pytest.raises(exc.ProgrammingError, match="permission"):
            connection.execute(text(statement.format("analytics.airbyte_sync_history")))
