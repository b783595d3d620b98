"""The server's own state, schema `airbyte`."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

SCHEMA = "airbyte"
metadata = MetaData(schema=SCHEMA)


def _created_at() -> Column[Any]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


def _id(name: str) -> Column[Any]:
    return Column(name, UUID(as_uuid=False), primary_key=True)


def _reference(name: str, target: str) -> Column[Any]:
    return Column(name, UUID(as_uuid=False), ForeignKey(target, ondelete="CASCADE"), nullable=False, index=True)


def _part(name: str, target: str) -> Column[Any]:
    return Column(name, UUID(as_uuid=False), ForeignKey(target, ondelete="CASCADE"), primary_key=True)


schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

workspaces = Table(
    "workspaces",
    metadata,
    _id("workspace_id"),
    Column("name", Text, nullable=False),
    Column("data_residency", Text, nullable=False, server_default="auto"),
    Column("notifications", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("served_at", DateTime(timezone=True)),  # when the queue last took a job of this workspace
    _created_at(),
)

# What a workspace adds to the connectors that come with the server.
definitions = Table(
    "definitions",
    metadata,
    _id("definition_id"),
    Column("kind", String(16), nullable=False),  # declarative, source, destination
    _reference("workspace_id", "airbyte.workspaces.workspace_id"),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("manifest", JSONB),
    Column("specification", JSONB),  # of a manifest: the JSON schema of its configuration, references resolved
    Column("docker_repository", Text),
    Column("docker_image_tag", Text),
    Column("documentation_url", Text),
    _created_at(),
)

tags = Table(
    "tags",
    metadata,
    _id("tag_id"),
    _reference("workspace_id", "airbyte.workspaces.workspace_id"),
    Column("name", Text, nullable=False),
    Column("color", Text, nullable=False),
    _created_at(),
    Index("one_tag_per_name", "workspace_id", "name", unique=True),
)

# Sources and destinations: the same thing at either end of a connection.
actors = Table(
    "actors",
    metadata,
    _id("actor_id"),
    Column("kind", String(16), nullable=False),
    _reference("workspace_id", "airbyte.workspaces.workspace_id"),
    Column("name", Text, nullable=False),
    Column("type_name", Text, nullable=False),
    Column("definition_id", UUID(as_uuid=False), nullable=False),
    Column("configuration", LargeBinary, nullable=False),  # see secrets/box.py
    Column("resource_allocation", JSONB),
    _created_at(),
)

connections = Table(
    "connections",
    metadata,
    _id("connection_id"),
    _reference("workspace_id", "airbyte.workspaces.workspace_id"),
    _reference("source_id", "airbyte.actors.actor_id"),
    _reference("destination_id", "airbyte.actors.actor_id"),
    Column("name", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("status_reason", Text),  # why the server made it inactive
    Column("schedule", JSONB, nullable=False),
    Column("namespace_definition", String(16), nullable=False),
    Column("namespace_format", Text),
    Column("prefix", Text, nullable=False),
    Column("schema_changes", String(24), nullable=False),
    Column("catalog", JSONB, nullable=False),  # the discovered streams, as the protocol gives them
    Column("streams", JSONB, nullable=False),  # the configured ones, as the API gives them
    Column("is_sample", Boolean, nullable=False, server_default=text("false")),  # shown by nothing but its jobs
    _created_at(),
)

connection_tags = Table(
    "connection_tags",
    metadata,
    _part("connection_id", "airbyte.connections.connection_id"),
    _part("tag_id", "airbyte.tags.tag_id"),
    Column("position", Integer, nullable=False, server_default="0"),
)

# Each table of a destination has one writer: the key is what refuses a second connection, also in a race.
written_tables = Table(
    "written_tables",
    metadata,
    Column("server", Text, primary_key=True),
    Column("schema_name", Text, primary_key=True),
    Column("table_name", Text, primary_key=True),
    _reference("connection_id", "airbyte.connections.connection_id"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", BigInteger, Identity(), primary_key=True),
    _reference("connection_id", "airbyte.connections.connection_id"),
    Column("job_type", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("budget", JSONB(none_as_null=True)),  # of a sample: what it may read
    Column("bytes_synced", BigInteger, nullable=False, server_default="0"),
    Column("rows_synced", BigInteger, nullable=False, server_default="0"),
    Column("stream_stats", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("failure_reason", Text),
    Column("started_at", DateTime(timezone=True)),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("ended_at", DateTime(timezone=True)),
    Column("attempts", Integer, nullable=False, server_default="0"),  # begun so far
    Column("next_attempt_at", DateTime(timezone=True)),  # of an incomplete job, which waits for its next attempt
    _created_at(),
    Index(
        "one_active_job_per_connection",
        "connection_id",
        unique=True,
        postgresql_where=text("status in ('pending', 'running', 'incomplete')"),
    ),
    Index("jobs_by_status", "status", "job_id"),
)

job_attempts = Table(
    "job_attempts",
    metadata,
    Column("job_id", BigInteger, ForeignKey("airbyte.jobs.job_id", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True),  # from 0, as Airbyte counts
    Column("status", String(16), nullable=False),  # running, failed, succeeded
    Column("failure_reason", Text),
    Column("bytes_synced", BigInteger, nullable=False, server_default="0"),
    Column("rows_synced", BigInteger, nullable=False, server_default="0"),
    Column("stream_stats", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("ended_at", DateTime(timezone=True)),
)

# When a connection's own schedule starts its next job; made anew where the schedule has changed.
schedule_runs = Table(
    "schedule_runs",
    metadata,
    _part("connection_id", "airbyte.connections.connection_id"),
    Column("schedule", JSONB, nullable=False),
    Column("due_at", DateTime(timezone=True)),  # null: never again
)

job_logs = Table(
    "job_logs",
    metadata,
    Column("job_id", BigInteger, ForeignKey("airbyte.jobs.job_id", ondelete="CASCADE"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("logged_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("level", String(8), nullable=False),
    Column("message", Text, nullable=False),
)

# Generations; states themselves are in the destination, see loader/state_table.py.
stream_states = Table(
    "stream_states",
    metadata,
    _part("connection_id", "airbyte.connections.connection_id"),
    Column("stream", Text, primary_key=True),  # empty: the connection's global state
    Column("namespace", Text, primary_key=True, server_default=""),
    Column("state", JSONB),  # of an older server, until the connection's next job has moved it
    Column("generation_id", BigInteger, nullable=False, server_default="0"),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
