"""Connections: which streams of a source go where."""

import re
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Response
from sqlalchemy import Connection, Row, insert, select, update

from airbyte_server import catalog, destinations, job_store
from airbyte_server.api.actors import DESTINATION, SOURCE, find_actor
from airbyte_server.api.bodies import ConnectionCreate, ConnectionPatch, Schedule, StreamConfigurations
from airbyte_server.api.paging import PageDep, WorkspaceIds
from airbyte_server.api.streams import discover_source
from airbyte_server.errors import ConnectorError, ConnectorTimeoutError, NotFoundError, RefusedError
from airbyte_server.services import Services, ServicesDep
from airbyte_server.tables import connections

router = APIRouter(prefix="/connections", tags=["connections"])

JsonObject = dict[str, Any]
_UTC = re.compile(r"\s*UTC\s*$")


@router.post("")
def create_connection(body: ConnectionCreate, services: ServicesDep) -> JsonObject:
    """A new connection; without configurations every stream is taken in its best mode."""
    with services.storage.begin() as connection:
        source = find_actor(connection, SOURCE, body.source_id)
        destination = find_actor(connection, DESTINATION, body.destination_id)
    if source.workspace_id != destination.workspace_id:
        raise RefusedError("The source and the destination belong to two workspaces; use two of one workspace.")
    discovered = _discovered(services, source.actor_id)
    requested = _requested(body.configurations)
    row: JsonObject = {
        "connection_id": str(uuid4()),
        "workspace_id": source.workspace_id,
        "source_id": source.actor_id,
        "destination_id": destination.actor_id,
        "name": body.name or f"{source.name} → {destination.name}",
        "status": body.status or "active",
        "schedule": _schedule(body.schedule),
        "namespace_definition": body.namespace_definition or "destination",
        "namespace_format": body.namespace_format,
        "prefix": body.prefix or "",
        "schema_changes": body.non_breaking_schema_updates_behavior or "ignore",
        "tags": body.tags or [],
        "catalog": discovered,
        "streams": catalog.accept_streams(discovered, requested) if requested else catalog.choose_streams(discovered),
    }
    _check_tables(services, row, destination)
    with services.storage.begin() as connection:
        return shown(connection.execute(insert(connections).values(row).returning(connections)).one())


@router.get("")
def list_connections(services: ServicesDep, page: PageDep, workspace_ids: WorkspaceIds = None) -> JsonObject:
    """Connections, oldest first."""
    query = select(connections).order_by(connections.c.created_at, connections.c.connection_id)
    if workspace_ids:
        query = query.where(connections.c.workspace_id.in_([str(item) for item in workspace_ids]))
    with services.storage.begin() as connection:
        return page.read(connection, query, shown)


@router.get("/{connection_id}")
def get_connection(connection_id: UUID, services: ServicesDep) -> JsonObject:
    """One connection."""
    with services.storage.begin() as connection:
        return shown(find_connection(connection, connection_id))


@router.patch("/{connection_id}")
def patch_connection(connection_id: UUID, body: ConnectionPatch, services: ServicesDep) -> JsonObject:
    """Change what is given; streams that stay keep their state."""
    with services.storage.begin() as connection:
        found = find_connection(connection, connection_id)
        destination = find_actor(connection, DESTINATION, found.destination_id)
    changed = _changes(body)
    requested = _requested(body.configurations)
    if requested:
        discovered = _discovered(services, found.source_id)
        changed |= {"catalog": discovered, "streams": catalog.accept_streams(discovered, requested)}
    _check_tables(services, {**found._mapping, **changed}, destination)
    with services.storage.begin() as connection:
        statement = update(connections).where(connections.c.connection_id == str(connection_id))
        row = connection.execute(statement.values(changed or {"name": found.name}).returning(connections)).first()
        return shown(row if row is not None else find_connection(connection, connection_id))


@router.delete("/{connection_id}", status_code=204)
def delete_connection(connection_id: UUID, services: ServicesDep) -> Response:
    """Remove a connection with its jobs and state; the tables it wrote stay."""
    with services.storage.begin() as connection:
        find_connection(connection, connection_id)
        active = job_store.active_jobs_of(connection, [str(connection_id)])
    for job_id in active:
        services.supervisor.cancel(job_id)
    with services.storage.begin() as connection:
        job_store.delete_connections(connection, [str(connection_id)])
    return Response(status_code=204)


def find_connection(connection: Connection, connection_id: UUID | str) -> Row[Any]:
    """The connection, or NotFoundError."""
    row = connection.execute(select(connections).where(connections.c.connection_id == str(connection_id))).first()
    if row is None:
        raise NotFoundError(f"There is no connection {connection_id}.")
    return row


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
    if row.schedule["scheduleType"] != "manual":
        answer["statusReason"] = "This server keeps schedules but starts none; start jobs by POST /jobs."
    return answer


def _discovered(services: Services, source_id: str) -> list[JsonObject]:
    try:
        discovered = discover_source(services, source_id)
    except (ConnectorError, ConnectorTimeoutError) as error:
        raise RefusedError(error.sentence) from None
    if not discovered:
        raise RefusedError("The source has no streams; check its configuration.")
    return discovered


def _requested(configurations: StreamConfigurations | None) -> list[JsonObject]:
    streams = configurations.streams if configurations else None
    return [stream.model_dump(by_alias=True, exclude_none=True) for stream in streams or []]


def _schedule(schedule: Schedule | None) -> JsonObject:
    if schedule is None or schedule.schedule_type == "manual":
        return {"scheduleType": "manual"}
    if not schedule.cron_expression or not schedule.cron_expression.strip():
        raise RefusedError("A cron schedule needs a cronExpression.")
    # Airbyte answers with exactly one time zone, and it is UTC.
    return {"scheduleType": "cron", "cronExpression": f"{_UTC.sub('', schedule.cron_expression).strip()} UTC"}


def _changes(body: ConnectionPatch) -> JsonObject:
    given = body.model_dump(include={"name", "status", "namespace_definition", "prefix", "tags"}, exclude_none=True)
    if "namespace_format" in body.model_fields_set:
        given["namespace_format"] = body.namespace_format
    if body.schedule is not None:
        given["schedule"] = _schedule(body.schedule)
    if body.non_breaking_schema_updates_behavior is not None:
        given["schema_changes"] = body.non_breaking_schema_updates_behavior
    return given


def _check_tables(services: Services, row: JsonObject, destination: Row[Any]) -> None:
    if row["namespace_definition"] == "custom_format" and not (row["namespace_format"] or "").strip():
        raise RefusedError("namespaceDefinition custom_format needs a namespaceFormat that is not blank.")
    default_schema = destinations.default_schema(services.box.open(destination.configuration))
    schemas = catalog.target_schemas(
        row["streams"], row["namespace_definition"], row["namespace_format"], default_schema
    )
    catalog.check_tables(row["streams"], schemas, row["prefix"])
