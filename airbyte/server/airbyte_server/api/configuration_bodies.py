"""Request bodies of the configuration API, whose words differ from the public one's."""

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from airbyte_server.api.bodies import Body, ConnectionStatus, JobId, Name, SelectedField, TagReference

NAMESPACE_DEFINITIONS = {"source": "source", "destination": "destination", "customformat": "custom_format"}
SCHEMA_CHANGES = {
    "ignore": "ignore",
    "disable": "disable_connection",
    "propagate_columns": "propagate_columns",
    "propagate_fully": "propagate_fully",
}
SYNC_MODES = {
    ("full_refresh", "overwrite"): "full_refresh_overwrite",
    ("full_refresh", "overwrite_dedup"): "full_refresh_overwrite_deduped",
    ("full_refresh", "append"): "full_refresh_append",
    ("incremental", "append"): "incremental_append",
    ("incremental", "append_dedup"): "incremental_deduped_history",
}
"""The public API's mode by source and destination mode."""


class ConnectionReference(Body):
    """A body that names a connection."""

    connection_id: UUID


class WorkspaceReference(Body):
    """A body that names a workspace."""

    workspace_id: UUID


class SourceReference(Body):
    """A body that names a source."""

    source_id: UUID


class SchemaDiscovery(SourceReference):
    """A body that names a source to be asked for its streams."""

    disable_cache: bool = Field(False, alias="disable_cache")


class JobReference(Body):
    """A body that names a job."""

    id: JobId


class CatalogStream(Body):
    """Which stream of the source is meant."""

    name: Name
    namespace: str | None = None


class StreamChoice(Body):
    """Whether and how it is synced."""

    selected: bool = True
    sync_mode: Literal["full_refresh", "incremental"] = "full_refresh"
    destination_sync_mode: Literal["append", "overwrite", "append_dedup", "overwrite_dedup", "update", "soft_delete"]
    cursor_field: list[str] | None = None
    primary_key: list[list[str]] | None = None
    field_selection_enabled: bool = False
    selected_fields: list[SelectedField] | None = None
    mappers: list[dict[str, Any]] | None = None
    include_files: bool | None = None
    destination_object_name: str | None = None


class CatalogEntry(Body):
    """A stream and the choice made for it."""

    stream: CatalogStream
    config: StreamChoice


class SyncCatalog(Body):
    """The streams of a connection."""

    streams: list[CatalogEntry] = Field(min_length=1)


class CronSchedule(Body):
    """When a connection runs, by cron."""

    cron_expression: str
    cron_time_zone: Literal["UTC"] = "UTC"


class ScheduleData(Body):
    """The details of a schedule; `basicSchedule` is refused."""

    cron: CronSchedule | None = None


class ConnectionUpdate(Body):
    """POST /connections/update: what is absent stays."""

    connection_id: UUID
    name: Name | None = None
    status: ConnectionStatus | None = None
    prefix: str | None = None
    namespace_definition: Literal["source", "destination", "customformat"] | None = None
    namespace_format: str | None = None
    schedule_type: Literal["manual", "cron"] | None = None
    schedule_data: ScheduleData | None = None
    non_breaking_changes_preference: Literal["ignore", "disable", "propagate_columns", "propagate_fully"] | None = None
    sync_catalog: SyncCatalog | None = None
    tags: list[TagReference] | None = None
