"""Sources and destinations: the same routes twice, with their own names."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy import Connection, Row, select

from airbyte_server.actors.store import SOURCE, ActorKind, create_actor, find_actor, remove_actor, update_actor
from airbyte_server.api.bodies import ActorCreate, ActorPatch, ActorPut
from airbyte_server.api.paging import IncludeDeleted, PageDep, WorkspaceIds
from airbyte_server.api.workspaces import find_workspace
from airbyte_server.errors import RefusedError
from airbyte_server.secrets.marks import NO_MARKS, Marks
from airbyte_server.secrets.masking import masked
from airbyte_server.services import Services, ServicesDep
from airbyte_server.state.tables import actors


def make_router(kind: ActorKind) -> APIRouter:
    """The routes of /sources or of /destinations."""
    router = APIRouter(prefix=f"/{kind.name}s", tags=[f"{kind.name}s"])

    @router.post("")
    def create(body: ActorCreate, services: ServicesDep) -> dict[str, Any]:
        """A new one; nothing is contacted."""
        if body.secret_id is not None:
            raise RefusedError("No OAuth secrets are kept here; leave secretId out and put them in the configuration.")
        with services.storage.begin() as connection:
            find_workspace(connection, body.workspace_id)
            row = create_actor(
                connection,
                services.configurations,
                services.catalogue,
                kind,
                workspace_id=str(body.workspace_id),
                name=body.name,
                configuration=body.configuration,
                definition_id=None if body.definition_id is None else str(body.definition_id),
                resource_allocation=body.resource_allocation,
            )
            return _shown(connection, kind, row, services)

    @router.get("")
    def list_all(
        services: ServicesDep, page: PageDep, workspace_ids: WorkspaceIds = None, _: IncludeDeleted = False
    ) -> dict[str, Any]:
        """All of the asked workspaces, oldest first."""
        query = select(actors).where(actors.c.kind == kind.name).order_by(actors.c.created_at, actors.c.actor_id)
        if workspace_ids:
            query = query.where(actors.c.workspace_id.in_([str(item) for item in workspace_ids]))
        with services.storage.begin() as connection:
            return page.read(connection, query, lambda row: _shown(connection, kind, row, services))

    @router.get("/{actor_id}")
    def get(actor_id: UUID, services: ServicesDep) -> dict[str, Any]:
        """One of them."""
        with services.storage.begin() as connection:
            return _shown(connection, kind, find_actor(connection, kind, actor_id), services)

    @router.put("/{actor_id}")
    def replace(actor_id: UUID, body: ActorPut, services: ServicesDep) -> dict[str, Any]:
        """Another name and a whole configuration; a mask in it means the stored secret."""
        return _change(kind, actor_id, body, services, merge=False)

    @router.patch("/{actor_id}")
    def change(actor_id: UUID, body: ActorPatch, services: ServicesDep) -> dict[str, Any]:
        """Change the name, or the given top-level fields of the configuration."""
        return _change(kind, actor_id, body, services, merge=True)

    @router.delete("/{actor_id}", status_code=204)
    def remove(actor_id: UUID, services: ServicesDep) -> Response:
        """Remove it with its connections; their running jobs are cancelled."""
        remove_actor(services.storage, services.supervisor, services.configurations, kind, actor_id)
        return Response(status_code=204)

    return router


def _change(
    kind: ActorKind, actor_id: UUID, body: ActorPut | ActorPatch, services: Services, *, merge: bool
) -> dict[str, Any]:
    with services.storage.begin() as connection:
        row = update_actor(
            connection,
            services.configurations,
            kind,
            actor_id,
            name=body.name,
            configuration=body.configuration,
            resource_allocation=body.resource_allocation,
            marks=_marks(connection, kind, find_actor(connection, kind, actor_id), services),
            merge=merge,
        )
        return _shown(connection, kind, row, services)


def _marks(connection: Connection, kind: ActorKind, row: Row[Any], services: Services) -> Marks:
    return services.programs.marks_of(connection, row) if kind is SOURCE else NO_MARKS


def _shown(connection: Connection, kind: ActorKind, row: Row[Any], services: Services) -> dict[str, Any]:
    answer = {
        kind.id_field: row.actor_id,
        "name": row.name,
        kind.type_field: row.type_name,
        "definitionId": row.definition_id,
        "workspaceId": row.workspace_id,
        "configuration": masked(services.configurations.stored(row), marks=_marks(connection, kind, row, services)),
        "createdAt": int(row.created_at.timestamp()),
    }
    return answer | ({"resourceAllocation": row.resource_allocation} if row.resource_allocation else {})
