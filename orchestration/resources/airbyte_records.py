"""What Airbyte's answers say, in types: connections, selected streams and jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

ACTIVE = ("pending", "queued", "running", "incomplete")
"""A job that goes on: `incomplete` is one between two attempts."""
CUSTOM = "custom_format"
REFRESH = "refresh"
"""A job that reads everything anew, also of streams that are read by cursor."""


@dataclass(frozen=True)
class Named:
    """Something in Airbyte with an id and a name: a workspace, source, destination or connection."""

    id: str
    name: str


@dataclass(frozen=True)
class Connection(Named):
    """A connection with what makes it a tenant's: where it writes and from which source."""

    source_id: str
    destination_id: str
    namespace: str | None
    prefix: str
    status: str
    workspace_id: str = ""


@dataclass(frozen=True)
class ConfiguredStream:
    """One selected stream of a connection, as the config API's `syncCatalog` has it."""

    name: str
    json_schema: Mapping[str, Any]
    sync_mode: str
    destination_sync_mode: str
    primary_key: tuple[tuple[str, ...], ...]
    cursor: tuple[str, ...]
    is_filtered: bool = False
    """A mapper drops rows: what is written is not all that was read."""

    @property
    def is_deduplicated(self) -> bool:
        """Airbyte keeps one row per key."""
        return self.destination_sync_mode in ("append_dedup", "overwrite_dedup")

    @property
    def is_replaced(self) -> bool:
        """A sync puts what it read in the place of what was there, however often it is tried."""
        return self.destination_sync_mode in ("overwrite", "overwrite_dedup")


@dataclass(frozen=True)
class Job:
    """A job as the public API tells it; `failure` is set where the server names a reason."""

    id: int
    status: str
    connection_id: str
    rows: int
    bytes: int
    failure: str | None = None
    started_at: datetime | None = None
    updated_at: datetime | None = None
    type: str = "sync"

    @property
    def is_sync(self) -> bool:
        """It reads the source; a job that clears or resets does not."""
        return self.type in ("sync", REFRESH)

    def replaces(self, stream: ConfiguredStream) -> bool:
        """Whether each of its attempts puts what it read in the place of what was there."""
        return stream.is_replaced or (self.type == REFRESH and stream.sync_mode == "incremental")


def parse_connection(body: Mapping[str, Any]) -> Connection:
    """A connection of the public API; one that follows its source or destination has no namespace of its own."""
    definition = body.get("namespaceDefinition") or CUSTOM
    is_custom = str(getattr(definition, "value", definition)) == CUSTOM
    return Connection(
        id=body["connectionId"],
        name=body["name"],
        source_id=body["sourceId"],
        destination_id=body["destinationId"],
        namespace=body.get("namespaceFormat") if is_custom else None,
        prefix=body.get("prefix") or "",
        status=str(getattr(body["status"], "value", body["status"])),
        workspace_id=body.get("workspaceId") or "",
    )


def parse_stream(body: Mapping[str, Any]) -> ConfiguredStream:
    """One stream of a `syncCatalog`."""
    stream, config = body["stream"], body["config"]
    return ConfiguredStream(
        name=stream["name"],
        json_schema=stream.get("jsonSchema") or {},
        sync_mode=config.get("syncMode", "full_refresh"),
        destination_sync_mode=config.get("destinationSyncMode", "overwrite"),
        primary_key=tuple(
            tuple(path) for path in stream.get("sourceDefinedPrimaryKey") or config.get("primaryKey") or ()
        ),
        cursor=tuple(config.get("cursorField") or stream.get("defaultCursorField") or ()),
        is_filtered=any(mapper.get("type") == "row-filtering" for mapper in config.get("mappers") or ()),
    )


def parse_job(body: Mapping[str, Any]) -> Job:
    """A job of the public API."""
    return Job(
        id=int(body["jobId"]),
        status=body["status"],
        connection_id=body["connectionId"],
        rows=int(body.get("rowsSynced") or 0),
        bytes=int(body.get("bytesSynced") or 0),
        failure=body.get("failureReason"),
        started_at=_moment(body.get("startTime")),
        updated_at=_moment(body.get("lastUpdatedAt")),
        type=body.get("jobType") or "sync",
    )


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
