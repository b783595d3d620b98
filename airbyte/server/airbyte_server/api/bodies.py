"""Request bodies; unknown fields are ignored, unknown values of an enumeration are refused."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
JobId = Annotated[int, Field(ge=0, lt=2**63)]
Color = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^#?[0-9A-Fa-f]{3,8}$")]
SyncMode = Literal[
    "full_refresh_overwrite",
    "full_refresh_overwrite_deduped",
    "full_refresh_append",
    "full_refresh_update",
    "full_refresh_soft_delete",
    "incremental_append",
    "incremental_deduped_history",
    "incremental_update",
    "incremental_soft_delete",
]
NamespaceDefinition = Literal["source", "destination", "custom_format"]
SchemaChanges = Literal["ignore", "disable_connection", "propagate_columns", "propagate_fully"]
ConnectionStatus = Literal["active", "inactive", "deprecated", "locked"]


class Body(BaseModel):
    """The form of every body: camelCase names."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")


class WorkspaceCreate(Body):
    """POST /workspaces."""

    name: Name
    notifications: dict[str, Any] | None = None


class WorkspacePatch(Body):
    """PATCH /workspaces/{workspaceId}."""

    name: Name | None = None
    notifications: dict[str, Any] | None = None


class ActorCreate(Body):
    """POST /sources and POST /destinations."""

    name: Name
    workspace_id: UUID
    configuration: dict[str, Any]
    definition_id: UUID | None = None
    secret_id: str | None = None
    resource_allocation: dict[str, Any] | None = None


class ActorPut(Body):
    """PUT of a source or a destination: the whole configuration."""

    name: Name
    configuration: dict[str, Any]
    resource_allocation: dict[str, Any] | None = None


class ActorPatch(Body):
    """PATCH of a source or a destination: the top-level fields that change."""

    name: Name | None = None
    configuration: dict[str, Any] | None = None
    resource_allocation: dict[str, Any] | None = None


class TagReference(Body):
    """A tag of a connection; its name and colour are the tag's own, whatever is sent."""

    tag_id: UUID


class TagCreate(Body):
    """POST /tags."""

    name: Name
    color: Color
    workspace_id: UUID


class TagPatch(Body):
    """PATCH /tags/{tagId}."""

    name: Name | None = None
    color: Color | None = None


class DefinitionCreate(Body):
    """POST of a source or destination definition."""

    name: Name
    docker_repository: Name
    docker_image_tag: Name
    documentation_url: str | None = None


class DefinitionPut(Body):
    """PUT of a source or destination definition."""

    name: Name
    docker_image_tag: Name


class DeclarativeDefinitionCreate(Body):
    """POST of a declarative source definition."""

    name: Name
    manifest: dict[str, Any]


class DeclarativeDefinitionPut(Body):
    """PUT of a declarative source definition; Terraform sends the name, the SDK leaves it out."""

    name: Name | None = None
    manifest: dict[str, Any]


class Schedule(Body):
    """When a connection runs; `basic` is Airbyte's older form and cannot be asked for."""

    schedule_type: Literal["manual", "cron"]
    cron_expression: str | None = None


class SelectedField(Body):
    """A field that is kept."""

    field_path: list[str] | None = None


class StreamConfiguration(Body):
    """How one stream is synced."""

    name: Name
    namespace: str | None = None
    sync_mode: SyncMode | None = None
    cursor_field: list[str] | None = None
    primary_key: list[list[str]] | None = None
    selected_fields: list[SelectedField] | None = None
    mappers: list[dict[str, Any]] | None = None
    include_files: bool | None = None
    destination_object_name: str | None = None


class StreamConfigurations(Body):
    """The streams of a connection."""

    streams: list[StreamConfiguration] | None = None


class ConnectionPatch(Body):
    """PATCH /connections/{connectionId}: what is absent stays, a null namespace format is unset."""

    name: Name | None = None
    status: ConnectionStatus | None = None
    schedule: Schedule | None = None
    configurations: StreamConfigurations | None = None
    namespace_definition: NamespaceDefinition | None = None
    namespace_format: str | None = None
    prefix: str | None = None
    non_breaking_schema_updates_behavior: SchemaChanges | None = None
    tags: list[TagReference] | None = None


class ConnectionCreate(ConnectionPatch):
    """POST /connections."""

    source_id: UUID
    destination_id: UUID


class SampleCreate(Body):
    """POST /samples: what is read, where it goes, and how much of it."""

    source_id: UUID
    destination_id: UUID = Field(description="Whose database gets the tables; of the source's workspace.")
    schema_name: Name = Field(alias="schema", description="Where the tables go; no connection may write them there.")
    prefix: str = Field("", description="What each table's name begins with, as a connection's prefix.")
    streams: list[Name | StreamConfiguration] | None = Field(
        None,
        description="Names, or configurations as a connection has them, of which a sample takes name, namespace, "
        "selectedFields and mappers; every stream of the source where there is none.",
    )
    records_per_stream: int = Field(1000, ge=1, lt=2**31, description="A stream is stopped at this many records.")
    bytes: int = Field(100 * 1024**2, ge=1, lt=2**63, description="Of the records, as the connector writes them.")
    seconds: float = Field(300, gt=0, le=86_400, description="Of reading, not of waiting in the queue.")


class JobCreate(Body):
    """POST /jobs."""

    connection_id: UUID
    job_type: Literal["sync", "reset", "refresh", "clear"]
    streams: Any = Field(None, description="Jobs are of all streams: refused, and ignored only by a sync.")
