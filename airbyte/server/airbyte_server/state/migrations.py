"""Brings the state of an older server to this version; each step runs once, inside the transaction of the start."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.schema import CreateSchema

from airbyte_server.errors import PermanentError
from airbyte_server.state.tables import SCHEMA, metadata, schema_version

VERSION = 7

# New tables are made before a step runs, so a step only changes those that were there.
STEPS: Mapping[int, Sequence[str]] = {
    2: (
        "alter table airbyte.workspaces add column served_at timestamptz",
        "alter table airbyte.actors add column resource_allocation jsonb",
        """
        insert into airbyte.tags (tag_id, workspace_id, name, color)
        select distinct on (workspace_id, tag ->> 'name')
            (tag ->> 'tagId')::uuid, workspace_id, tag ->> 'name', coalesce(tag ->> 'color', '')
        from airbyte.connections, jsonb_array_elements(tags) as tag
        where tag ->> 'tagId' ~ '^[0-9a-fA-F-]{36}$' and tag ->> 'name' is not null
        on conflict do nothing
        """,
        """
        insert into airbyte.connection_tags (connection_id, tag_id)
        select distinct connections.connection_id, tags.tag_id
        from airbyte.connections, jsonb_array_elements(connections.tags) as tag, airbyte.tags
        where tags.workspace_id = connections.workspace_id and tags.name = tag ->> 'name'
        """,
        "alter table airbyte.connections drop column tags",
        """
        insert into airbyte.job_logs (job_id, line, logged_at, level, message)
        select job_id, ordinality, updated_at, 'WARN', message
        from airbyte.jobs, jsonb_array_elements_text(log_lines) with ordinality as lines (message, ordinality)
        """,
        "alter table airbyte.jobs drop column log_lines",
    ),
    3: (
        "alter table airbyte.jobs add column attempts integer not null default 0",
        "alter table airbyte.jobs add column next_attempt_at timestamptz",
        "alter table airbyte.job_logs add column if not exists attempt integer not null default 0",
        "drop index airbyte.one_active_job_per_connection",
        """
        create unique index one_active_job_per_connection on airbyte.jobs (connection_id)
        where status in ('pending', 'running', 'incomplete')
        """,
        "update airbyte.jobs set attempts = 1 where started_at is not null",
        """
        insert into airbyte.job_attempts (job_id, attempt, status, failure_reason, bytes_synced, rows_synced,
                                          stream_stats, started_at, updated_at, ended_at)
        select job_id, 0, case status when 'running' then status when 'succeeded' then status else 'failed' end,
               failure_reason, bytes_synced, rows_synced, stream_stats, started_at, updated_at, ended_at
        from airbyte.jobs where started_at is not null
        """,
    ),
    5: ("alter table airbyte.connections add column status_reason text",),
    4: (
        "alter table airbyte.definitions add column if not exists specification jsonb",
        # As it stands, references unresolved; the next PUT of the manifest resolves them.
        "update airbyte.definitions set specification = manifest #> '{spec,connection_specification}'",
    ),
    7: (
        "alter table airbyte.connections add column is_sample boolean not null default false",
        """
        update airbyte.jobs
        set status = 'failed', failure_reason = 'Samples are asked for anew since this version.', ended_at = now()
        where record_limit is not null and status in ('pending', 'running', 'incomplete')
        """,
        "alter table airbyte.jobs drop column record_limit, add column budget jsonb",
    ),
}


def upgrade(connection: Connection) -> None:
    """Make or change the tables; the state of a newer server is a PermanentError and stays as it is."""
    exists = connection.execute(text("select 1 from pg_namespace where nspname = :name"), {"name": SCHEMA}).first()
    if exists is None:
        connection.execute(CreateSchema(SCHEMA))
    schema_version.create(connection, checkfirst=True)
    found = connection.execute(select(func.max(schema_version.c.version))).scalar_one()
    if found is not None and found > VERSION:
        raise PermanentError("The state was written by a newer server; start that one.", found=found, known=VERSION)
    metadata.create_all(connection)
    for version in range(VERSION if found is None else found + 1, VERSION + 1):
        for statement in STEPS.get(version, ()) if found is not None else ():
            connection.execute(text(statement))
        connection.execute(insert(schema_version).values(version=version))
