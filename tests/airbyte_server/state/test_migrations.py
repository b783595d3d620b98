"""State that an older server wrote is kept, and changed in one transaction."""

import pytest
from airbyte_server.errors import PermanentError
from airbyte_server.state.migrations import VERSION
from airbyte_server.state.storage import Storage
from sqlalchemy import text

# What the first version had and this one has not, and the other way round.
FIRST_VERSION = """
drop table airbyte.connection_tags, airbyte.tags, airbyte.definitions, airbyte.written_tables, airbyte.job_logs;
alter table airbyte.workspaces drop column served_at;
alter table airbyte.actors drop column resource_allocation;
alter table airbyte.connections add column tags jsonb not null;
alter table airbyte.jobs add column log_lines jsonb not null default '[]';
update airbyte.schema_version set version = 1;
insert into airbyte.workspaces (workspace_id, name) values ('00000000-0000-0000-0000-000000000001', 'acme');
insert into airbyte.actors (actor_id, kind, workspace_id, name, type_name, definition_id, configuration)
select id::uuid, kind, '00000000-0000-0000-0000-000000000001', kind, 'x', id::uuid, 'x'
from (
    values
        ('00000000-0000-0000-0000-000000000002', 'source'), ('00000000-0000-0000-0000-000000000003', 'destination')
) as made (id, kind);
insert into airbyte.connections (
    connection_id, workspace_id, source_id, destination_id, name, status, schedule, namespace_definition, prefix,
    schema_changes, tags, catalog, streams
) values (
    '00000000-0000-0000-0000-000000000004', '00000000-0000-0000-0000-000000000001',
    '00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000003', 'shop', 'active', '{}',
    'destination', '', 'ignore',
    '[{"tagId": "00000000-0000-0000-0000-000000000005", "name": "nightly", "color": "FF0000"}, {"name": "no id"}]',
    '[]', '[]'
);
insert into airbyte.jobs (connection_id, job_type, status, log_lines)
values ('00000000-0000-0000-0000-000000000004', 'sync', 'succeeded', '["WARN first", "WARN second"]');
"""


@pytest.fixture
def storage(database):
    storage = Storage(database)
    storage.open()
    yield storage
    storage.close()


def test_the_first_versions_state_is_kept(storage, database):
    with storage.begin() as connection:
        for statement in FIRST_VERSION.strip().removesuffix(";").split(";\n"):
            connection.exec_driver_sql(statement)
    storage.close()
    storage.open()
    with storage.begin() as connection:
        versions = connection.execute(text("select version from airbyte.schema_version order by 1")).scalars().all()
        tags = connection.execute(
            text("select name, color from airbyte.connection_tags join airbyte.tags using (tag_id)")
        ).all()
        lines = connection.execute(text("select line, message from airbyte.job_logs order by line")).all()
        columns = connection.execute(
            text("select count(*) from information_schema.columns where table_schema = 'airbyte' "
                 "and (table_name, column_name) in (('connections', 'tags'), ('jobs', 'log_lines'))")
        ).scalar_one()  # fmt: skip
    assert versions == [1, VERSION]
    assert [tuple(row) for row in tags] == [("nightly", "FF0000")]
    assert [tuple(row) for row in lines] == [(1, "WARN first"), (2, "WARN second")]
    assert columns == 0


def test_a_newer_servers_state_is_left_alone(storage):
    with storage.begin() as connection:
        connection.execute(text("insert into airbyte.schema_version values (:newer)"), {"newer": VERSION + 1})
    storage.close()
    with pytest.raises(PermanentError, match="newer server"):
        storage.open()
