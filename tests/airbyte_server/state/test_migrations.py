"""State that an older server wrote is kept, and changed in one transaction."""

from datetime import timedelta

import pytest
from airbyte_server.errors import PermanentError
from airbyte_server.jobs.attempts import RetryPolicy, end_interrupted
from airbyte_server.state.migrations import VERSION
from airbyte_server.state.storage import Storage
from sqlalchemy import text

# What the first version had and this one has not, and the other way round.
FIRST_VERSION = """
drop table airbyte.connection_tags, airbyte.tags, airbyte.definitions, airbyte.written_tables, airbyte.job_logs;
drop table airbyte.job_attempts, airbyte.schedule_runs;
alter table airbyte.jobs drop column attempts, drop column next_attempt_at;
drop index airbyte.one_active_job_per_connection;
create unique index one_active_job_per_connection on airbyte.jobs (connection_id)
where status in ('pending', 'running');
alter table airbyte.workspaces drop column served_at;
alter table airbyte.actors drop column resource_allocation;
alter table airbyte.connections add column tags jsonb not null;
alter table airbyte.connections drop column is_sample, drop column status_reason;
alter table airbyte.jobs drop column budget, add column record_limit integer;
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
insert into airbyte.jobs (connection_id, job_type, status, rows_synced, started_at, log_lines)
values ('00000000-0000-0000-0000-000000000004', 'sync', 'succeeded', 7, now(), '["WARN first", "WARN second"]');
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
        attempts = connection.execute(
            text(
                "select attempts, attempt, a.status, a.rows_synced from airbyte.jobs join airbyte.job_attempts a "
                "using (job_id)"
            )
        ).all()
        active = connection.execute(
            text("select indexdef from pg_indexes where indexname = 'one_active_job_per_connection'")
        ).scalar_one()
        lines = connection.execute(text("select line, message from airbyte.job_logs order by line")).all()
        columns = connection.execute(
            text("select count(*) from information_schema.columns where table_schema = 'airbyte' "
                 "and (table_name, column_name) in (('connections', 'tags'), ('jobs', 'log_lines'))")
        ).scalar_one()  # fmt: skip
    assert versions == list(range(1, VERSION + 1))
    assert [tuple(row) for row in attempts] == [(1, 0, "succeeded", 7)]
    assert "incomplete" in active
    assert [tuple(row) for row in tags] == [("nightly", "FF0000")]
    assert [tuple(row) for row in lines] == [(1, "WARN first"), (2, "WARN second")]
    assert columns == 0


def test_a_newer_servers_state_is_left_alone(storage):
    with storage.begin() as connection:
        connection.execute(text("insert into airbyte.schema_version values (:newer)"), {"newer": VERSION + 1})
    storage.close()
    with pytest.raises(PermanentError, match="newer server"):
        storage.open()


# What the second version had and this one has not, and the other way round; a sample and a sync run.
SECOND_VERSION = """
drop table airbyte.job_attempts, airbyte.schedule_runs;
alter table airbyte.jobs drop column attempts, drop column next_attempt_at, drop column budget;
alter table airbyte.jobs add column record_limit integer;
drop index airbyte.one_active_job_per_connection;
create unique index one_active_job_per_connection on airbyte.jobs (connection_id)
where status in ('pending', 'running');
alter table airbyte.job_logs drop column attempt;
alter table airbyte.definitions drop column specification;
alter table airbyte.connections drop column is_sample, drop column status_reason;
update airbyte.schema_version set version = 2;
insert into airbyte.workspaces (workspace_id, name) values ('00000000-0000-0000-0000-000000000001', 'acme');
insert into airbyte.definitions (definition_id, kind, workspace_id, name, manifest) values (
    '00000000-0000-0000-0000-000000000009', 'declarative', '00000000-0000-0000-0000-000000000001', 'shop',
    '{"spec": {"connection_specification": {"type": "object"}}}'
);
insert into airbyte.actors (actor_id, kind, workspace_id, name, type_name, definition_id, configuration)
select lpad(id::text, 32, '0')::uuid, 'any', '00000000-0000-0000-0000-000000000001', 'x', 'x', gen_random_uuid(), 'x'
from generate_series(2, 3) id;
insert into airbyte.connections (
    connection_id, workspace_id, source_id, destination_id, name, status, schedule, namespace_definition, prefix,
    schema_changes, catalog, streams
)
select lpad(id::text, 32, '0')::uuid, '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002',
       '00000000-0000-0000-0000-000000000003', 'shop', 'active', '{}', 'destination', '', 'ignore', '[]', '[]'
from generate_series(4, 5) id;
insert into airbyte.stream_states (connection_id, stream, namespace, state, generation_id)
values ('00000000-0000-0000-0000-000000000004', 'orders', '', '{"type": "STREAM"}', 3);
insert into airbyte.jobs (connection_id, job_type, status, rows_synced, started_at, record_limit)
values ('00000000-0000-0000-0000-000000000004', 'sync', 'running', 7, now(), null),
       ('00000000-0000-0000-0000-000000000005', 'sync', 'running', 0, now(), 10);
insert into airbyte.job_logs (job_id, line, level, message) select job_id, 1, 'INFO', 'begun' from airbyte.jobs;
"""


def test_the_second_versions_state_is_kept_and_what_ran_goes_on(storage):
    with storage.begin() as connection:
        for statement in SECOND_VERSION.strip().removesuffix(";").split(";\n"):
            connection.exec_driver_sql(statement)
    storage.close()
    storage.open()
    policy = RetryPolicy(attempts=3, first_pause=timedelta(0), longest_pause=timedelta(0))
    with storage.begin() as connection:
        end_interrupted(connection, policy)

        def found(query):
            return [tuple(row) for row in connection.execute(text(query))]

        assert found("select max(version), count(*) from airbyte.schema_version") == [(VERSION, VERSION - 1)]
        assert found("select stream, state, generation_id from airbyte.stream_states") == [
            ("orders", {"type": "STREAM"}, 3)
        ]
        assert found("select status, attempts, ended_at is null from airbyte.jobs order by job_id") == [
            ("incomplete", 1, True),
            ("failed", 1, False),
        ]
        assert found("select attempt, status, rows_synced from airbyte.job_attempts order by job_id") == [
            (0, "failed", 7),
            (0, "failed", 0),
        ]
        assert found("select distinct attempt, message from airbyte.job_logs") == [(0, "begun")]
        assert found("select specification from airbyte.definitions") == [({"type": "object"},)]
        assert found("select distinct is_sample, status_reason from airbyte.connections") == [(False, None)]
