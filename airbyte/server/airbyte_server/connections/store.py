"""Connections as rows: what may be stored, and how it changes."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, Select, func, insert, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by

from airbyte_server.actors.store import DESTINATION, SOURCE, find_actor
from airbyte_server.connections import catalog, written_tables
from airbyte_server.connections.tagging import tag_connection
from airbyte_server.errors import (
    ConnectorError,
    ConnectorTimeoutError,
    ConnectorTroubleError,
    NotFoundError,
    RefusedError,
)
from airbyte_server.services import Services
from airbyte_server.state.tables import connection_tags, connections, tags

JsonObject = dict[str, Any]

_TAG = func.jsonb_build_object(
    "tagId", tags.c.tag_id, "name", tags.c.name, "color", tags.c.color, "workspaceId", tags.c.workspace_id
)
_TAGS = (
    select(
        func.coalesce(func.jsonb_agg(aggregate_order_by(_TAG, connection_tags.c.position)), func.jsonb_build_array())
    )
    .select_from(connection_tags.join(tags, tags.c.tag_id == connection_tags.c.tag_id))
    .where(connection_tags.c.connection_id == connections.c.connection_id)
    .correlate(connections)
    .scalar_subquery()
    .label("tags")
)


def select_connections() -> Select[Any]:
    """Connections with their tags, oldest first; those of samples are none of the API's."""
    shown = select(connections, _TAGS).where(~connections.c.is_sample)
    return shown.order_by(connections.c.created_at, connections.c.connection_id)


def find_connection(connection: Connection, connection_id: UUID | str) -> Row[Any]:
    """The connection with its tags, or NotFoundError."""
    row = connection.execute(select_connections().where(connections.c.connection_id == str(connection_id))).first()
    if row is None:
        raise NotFoundError(f"There is no connection {connection_id}.")
    return row


def create_connection(
    services: Services,
    source_id: UUID,
    destination_id: UUID,
    values: JsonObject,
    requested: list[JsonObject],
    tag_ids: Sequence[str] = (),
) -> Row[Any]:
    """A new connection; without requested streams every one is taken in its best mode."""
    with services.storage.begin() as connection:
        source = find_actor(connection, SOURCE, source_id)
        destination = find_actor(connection, DESTINATION, destination_id)
    if source.workspace_id != destination.workspace_id:
        raise RefusedError("The source and the destination belong to two workspaces; use two of one workspace.")
    discovered = discovered_streams(services, source)
    row: JsonObject = {
        "name": f"{source.name} → {destination.name}",
        "status": "active",
        "schedule": {"scheduleType": "manual"},
        "namespace_definition": "destination",
        "namespace_format": None,
        "prefix": "",
        "schema_changes": "ignore",
        **values,
        "connection_id": str(uuid4()),
        "workspace_id": source.workspace_id,
        "source_id": source.actor_id,
        "destination_id": destination.actor_id,
        "catalog": discovered,
        "streams": catalog.accept_streams(discovered, requested) if requested else catalog.choose_streams(discovered),
    }
    with services.storage.begin() as connection:
        # Discovery takes seconds: what it was asked for may be gone, or point elsewhere.
        find_actor(connection, SOURCE, source_id, lock=True)
        destination = find_actor(connection, DESTINATION, destination_id, lock=True)
        connection.execute(insert(connections).values(row))
        written_tables.reserve(connection, row, services.configurations.stored(destination))
        tag_connection(connection, source.workspace_id, row["connection_id"], tag_ids)
        return find_connection(connection, row["connection_id"])


def change_connection(
    services: Services,
    connection_id: UUID,
    values: JsonObject,
    requested: list[JsonObject],
    tag_ids: Sequence[str] | None = None,
) -> Row[Any]:
    """Change what is given; streams that stay keep their state.

    Making a connection active that the server paused approves its source's schema of now; what it cannot go on with is
    refused.
    """
    with services.storage.begin() as connection:
        found = find_connection(connection, connection_id)
        source = find_actor(connection, SOURCE, found.source_id)
    is_resumed = values.get("status") == "active" and found.status_reason is not None
    if requested or is_resumed:
        discovered = discovered_streams(services, source)
        accepted = catalog.accept_streams(discovered, requested or found.streams)
        values = {**values, "catalog": discovered, "streams": accepted}
    if is_resumed:
        values["status_reason"] = None
    with services.storage.begin() as connection:
        destination = find_actor(connection, DESTINATION, found.destination_id, lock=True)
        if values:
            statement = update(connections).where(connections.c.connection_id == found.connection_id)
            connection.execute(statement.values(values))
        row = find_connection(connection, connection_id)
        written_tables.reserve(connection, dict(row._mapping), services.configurations.stored(destination))
        if tag_ids is not None:
            tag_connection(connection, row.workspace_id, row.connection_id, tag_ids)
        return find_connection(connection, connection_id)


def discovered_streams(services: Services, source: Row[Any]) -> list[JsonObject]:
    """What the source offers now; RefusedError with the connector's sentence, or where there is nothing."""
    try:
        discovered = services.discover(source)
    except (ConnectorError, ConnectorTroubleError, ConnectorTimeoutError) as error:
        raise RefusedError(error.sentence) from None
    if not discovered:
        raise RefusedError("The source has no streams; check its configuration.")
    return discovered
