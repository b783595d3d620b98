from concurrent.futures import ThreadPoolExecutor

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from analysis.store import fleet, tables
from analysis.store.connect import open_engine
from analysis.store.migrate import current_revision, head_revision, upgrade


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
