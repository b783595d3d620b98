"""Connections: which streams of a source go where."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy import Row, select

from airbyte_server.api.bodies import ConnectionCreate, ConnectionPatch, Schedule, StreamConfigurations
from airbyte_server.api.paging import IncludeDeleted, PageDep, TagIds, WorkspaceIds
from airbyte_server.connections import cron
from airbyte_server.connections import store as connection_store
from airbyte_server.connections.store import find_connection
from airbyte_server.errors import RefusedError
from airbyte_server.jobs import store as job_store
from airbyte_server.jobs.retirement import retired
from airbyte_server.services import ServicesDep
from airbyte_server.state.tables import connection_tags, connections

router = APIRouter(prefix="/connections", tags=["connections"])

JsonObject = dict[str, Any]


@router.post("")
def create_connection(body: ConnectionCreate, services: ServicesDep) -> JsonObject:
    """A new connection; without configurations every stream is taken in its best mode."""
    row = connection_store.create_connection(
        services,
        body.source_id,
        body.destination_id,
        _values(body),
        _requested(body.configurations),
        _tag_ids(body) or (),
    )
    return shown(row)


@router.get("")
def list_connections(
    services: ServicesDep,
    page: PageDep,
    workspace_ids: WorkspaceIds = None,
    tag_ids: TagIds = None,
    _: IncludeDeleted = False,
) -> JsonObject:
    """Connections, oldest first; with tags asked for, those that have at least one of them."""
    query = connection_store.select_connections()
    if workspace_ids:
        query = query.where(connections.c.workspace_id.in_([str(item) for item in workspace_ids]))
    if tag_ids:
        tagged = connection_tags.c.tag_id.in_([str(item) for item in tag_ids])
        query = query.where(connections.c.connection_id.in_(select(connection_tags.c.connection_id).where(tagged)))
    with services.storage.begin() as connection:
        return page.read(connection, query, shown)


@router.get("/{connection_id}")
def get_connection(connection_id: UUID, services: ServicesDep) -> JsonObject:
    """One connection."""
    with services.storage.begin() as connection:
        return shown(find_connection(connection, connection_id))


@router.patch("/{connection_id}")
def patch_connection(connection_id: UUID, body: ConnectionPatch, services: ServicesDep) -> JsonObject:
    """Change what is given; without configurations the streams stay as they are."""
    row = connection_store.change_connection(
        services, connection_id, _values(body), _requested(body.configurations), _tag_ids(body)
    )
    return shown(row)


@router.delete("/{connection_id}", status_code=204)
def delete_connection(connection_id: UUID, services: ServicesDep) -> Response:
    """Remove a connection with its jobs and state; the tables it wrote stay."""
    with services.storage.begin() as connection:
        found = find_connection(connection, connection_id)
    this = connections.c.connection_id == found.connection_id
    with (
        retired(services.storage, services.supervisor, services.configurations, this),
        services.storage.begin() as connection,
    ):
        job_store.delete_connections(connection, [found.connection_id])
    return Response(status_code=204)


def shown(row: Row[Any]) -> JsonObject:
    """The connection as the API answers it; exactly the streams that are configured."""
    answer = {
        "connectionId": row.connection_id,
        "name": row.name,
        "sourceId": row.source_id,
        "destinationId": row.destination_id,
        "workspaceId": row.workspace_id,
        "status": row.status,
        "schedule": row.schedule,
        "configurations": {"streams": row.streams},
        "namespaceDefinition": row.namespace_definition,
        "prefix": row.prefix,
        "nonBreakingSchemaUpdatesBehavior": row.schema_changes,
        "tags": row.tags,
        "createdAt": int(row.created_at.timestamp()),
    }
    if row.namespace_format is not None:
        answer["namespaceFormat"] = row.namespace_format
    if row.status_reason is not None:
        answer["statusReason"] = row.status_reason
    return answer


def _requested(configurations: StreamConfigurations | None) -> list[JsonObject]:
    streams = configurations.streams if configurations else None
    return [stream.model_dump(by_alias=True, exclude_none=True) for stream in streams or []]


def _tag_ids(body: ConnectionPatch) -> list[str] | None:
    return None if body.tags is None else [str(tag.tag_id) for tag in body.tags]


def _schedule(schedule: Schedule) -> JsonObject:
    if schedule.schedule_type == "manual":
        return {"scheduleType": "manual"}
    if not schedule.cron_expression or not schedule.cron_expression.strip():
        raise RefusedError("A cron schedule needs a cronExpression.")
    return {"scheduleType": "cron", "cronExpression": cron.normalised(schedule.cron_expression)}


def _values(body: ConnectionPatch) -> JsonObject:
    given = body.model_dump(include={"name", "status", "namespace_definition", "prefix"}, exclude_none=True)
    if "namespace_format" in body.model_fields_set:
        given["namespace_format"] = body.namespace_format
    if body.schedule is not None:
        given["schedule"] = _schedule(body.schedule)
    if body.non_breaking_schema_updates_behavior is not None:
        given["schema_changes"] = body.non_breaking_schema_updates_behavior
    return given
