"""Sources and destinations: the same routes twice, with their own names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Response
from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from airbyte_server import destinations, job_store
from airbyte_server.api.bodies import ActorCreate, ActorPatch, ActorPut
from airbyte_server.api.paging import PageDep, WorkspaceIds
from airbyte_server.api.workspaces import find_workspace
from airbyte_server.connectors import KNOWN_CONNECTORS
from airbyte_server.errors import NotFoundError, RefusedError
from airbyte_server.secret_box import Configuration, masked, unmasked
from airbyte_server.services import Services, ServicesDep
from airbyte_server.tables import actors, connections


@dataclass(frozen=True)
class ActorKind:
    """Source or destination: its names in the API, and the types that run here."""

    name: str
    definitions: Mapping[str, str]
    """Definition ids by type name."""
    check: Callable[[Configuration], None]

    @property
    def id_field(self) -> str:
        """`sourceId` or `destinationId`."""
        return f"{self.name}Id"

    @property
    def type_field(self) -> str:
        """`sourceType` or `destinationType`."""
        return f"{self.name}Type"


SOURCE = ActorKind(
    "source", {name: known.definition_id for name, known in KNOWN_CONNECTORS.items()}, check=lambda configuration: None
)
DESTINATION = ActorKind(
    "destination", {destinations.POSTGRES: destinations.POSTGRES_DEFINITION_ID}, check=destinations.check_configuration
)


def find_actor(connection: Connection, kind: ActorKind, actor_id: UUID | str) -> Row[Any]:
    """The source or destination, or NotFoundError."""
    query = select(actors).where(actors.c.actor_id == str(actor_id), actors.c.kind == kind.name)
    row = connection.execute(query).first()
    if row is None:
        raise NotFoundError(f"There is no {kind.name} {actor_id}.")
    return row


def make_router(kind: ActorKind) -> APIRouter:
    """The routes of /sources or of /destinations."""
    router = APIRouter(prefix=f"/{kind.name}s", tags=[f"{kind.name}s"])

    @router.post("")
    def create(body: ActorCreate, services: ServicesDep) -> dict[str, Any]:
        return _create(kind, body, services)

    @router.get("")
    def list_all(services: ServicesDep, page: PageDep, workspace_ids: WorkspaceIds = None) -> dict[str, Any]:
        query = select(actors).where(actors.c.kind == kind.name).order_by(actors.c.created_at, actors.c.actor_id)
        if workspace_ids:
            query = query.where(actors.c.workspace_id.in_([str(item) for item in workspace_ids]))
        with services.storage.begin() as connection:
            return page.read(connection, query, lambda row: _shown(kind, row, services))

    @router.get("/{actor_id}")
    def get(actor_id: UUID, services: ServicesDep) -> dict[str, Any]:
        with services.storage.begin() as connection:
            return _shown(kind, find_actor(connection, kind, actor_id), services)

    @router.put("/{actor_id}")
    def replace(actor_id: UUID, body: ActorPut, services: ServicesDep) -> dict[str, Any]:
        return _change(kind, actor_id, services, name=body.name, configuration=body.configuration)

    @router.patch("/{actor_id}")
    def change(actor_id: UUID, body: ActorPatch, services: ServicesDep) -> dict[str, Any]:
        return _change(kind, actor_id, services, name=body.name, configuration=body.configuration, merge=True)

    @router.delete("/{actor_id}", status_code=204)
    def remove(actor_id: UUID, services: ServicesDep) -> Response:
        return _remove(kind, actor_id, services)

    return router


def _create(kind: ActorKind, body: ActorCreate, services: Services) -> dict[str, Any]:
    type_name = _type_name(kind, body.configuration, body.definition_id)
    configuration = {**body.configuration, kind.type_field: type_name}
    kind.check(configuration)
    row = {
        "actor_id": str(uuid4()),
        "kind": kind.name,
        "workspace_id": str(body.workspace_id),
        "name": body.name,
        "type_name": type_name,
        "definition_id": kind.definitions[type_name],
        "configuration": services.box.seal(configuration),
    }
    with services.storage.begin() as connection:
        find_workspace(connection, body.workspace_id)
        return _shown(kind, connection.execute(insert(actors).values(row).returning(actors)).one(), services)


def _change(
    kind: ActorKind,
    actor_id: UUID,
    services: Services,
    *,
    name: str | None,
    configuration: Configuration | None,
    merge: bool = False,
) -> dict[str, Any]:
    with services.storage.begin() as connection:
        found = find_actor(connection, kind, actor_id)
        stored = services.box.open(found.configuration)
        given = stored if configuration is None else unmasked(configuration, stored)
        new = {**(stored if merge else {}), **given, kind.type_field: found.type_name}
        if given.get(kind.type_field, found.type_name) != found.type_name:
            raise RefusedError(f"A {kind.name} keeps its type; create another {kind.name} instead.")
        kind.check(new)
        changed = {"name": name or found.name, "configuration": services.box.seal(new)}
        statement = update(actors).where(actors.c.actor_id == str(actor_id)).values(changed).returning(actors)
        return _shown(kind, connection.execute(statement).one(), services)


def _remove(kind: ActorKind, actor_id: UUID, services: Services) -> Response:
    with services.storage.begin() as connection:
        find_actor(connection, kind, actor_id)
        uses = or_(connections.c.source_id == str(actor_id), connections.c.destination_id == str(actor_id))
        ids = list(connection.execute(select(connections.c.connection_id).where(uses)).scalars())
        active = job_store.active_jobs_of(connection, ids)
    for job_id in active:
        services.supervisor.cancel(job_id)
    with services.storage.begin() as connection:
        connection.execute(delete(actors).where(actors.c.actor_id == str(actor_id)))
    return Response(status_code=204)


def _type_name(kind: ActorKind, configuration: Configuration, definition_id: UUID | None) -> str:
    by_id = {identifier: name for name, identifier in kind.definitions.items()}
    named = configuration.get(kind.type_field)
    if definition_id is not None:
        named_by_id = by_id.get(str(definition_id))
        if named_by_id is None or named not in (None, named_by_id):
            raise RefusedError(f"{kind.name.capitalize()} definition {definition_id} does not run here. {_known(kind)}")
        return named_by_id
    if not isinstance(named, str) or named not in kind.definitions:
        what = f"{kind.name.capitalize()} type {named!r} does not run here." if named else ""
        raise RefusedError(
            f"{what or f'Give {kind.type_field} in the configuration, or a definitionId.'} {_known(kind)}"
        )
    return named


def _known(kind: ActorKind) -> str:
    return f"Known types: {', '.join(sorted(kind.definitions))}."


def _shown(kind: ActorKind, row: Row[Any], services: Services) -> dict[str, Any]:
    return {
        kind.id_field: row.actor_id,
        "name": row.name,
        kind.type_field: row.type_name,
        "definitionId": row.definition_id,
        "workspaceId": row.workspace_id,
        "configuration": masked(services.box.open(row.configuration)),
        "createdAt": int(row.created_at.timestamp()),
    }
