"""Source and destination definitions: the connectors that run here, and a workspace's own names for them."""

from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter
from sqlalchemy import insert, update

from airbyte_server.actors.catalogue import Catalogue, Definition
from airbyte_server.actors.definitions import own_definition, remove_unused, select_own
from airbyte_server.api.bodies import DefinitionCreate, DefinitionPut
from airbyte_server.api.paging import PageDep
from airbyte_server.api.workspaces import find_workspace
from airbyte_server.errors import RefusedError
from airbyte_server.services import ServicesDep
from airbyte_server.state.tables import definitions


def make_router(kind: str) -> APIRouter:
    """The routes of /workspaces/{workspaceId}/definitions/sources, or …/destinations."""
    prefix = f"/workspaces/{{workspace_id}}/definitions/{kind}s"
    router = APIRouter(prefix=prefix, tags=[f"{kind} definitions"])

    @router.post("")
    def create(workspace_id: UUID, body: DefinitionCreate, services: ServicesDep) -> dict[str, Any]:
        """A name and tag of the workspace's own for a connector that runs here."""
        services.catalogue.check_image(kind, body.docker_repository, body.docker_image_tag)
        row = {"definition_id": str(uuid4()), "kind": kind, "workspace_id": str(workspace_id), **body.model_dump()}
        with services.storage.begin() as connection:
            find_workspace(connection, workspace_id)
            made = connection.execute(insert(definitions).values(row).returning(definitions)).one()
        return _shown(services.catalogue.own(made))

    @router.get("")
    def list_all(workspace_id: UUID, services: ServicesDep, page: PageDep) -> dict[str, Any]:
        """The connectors that come with the server, then the workspace's own definitions."""
        with services.storage.begin() as connection:
            find_workspace(connection, workspace_id)
            rows = connection.execute(select_own(kind, workspace_id)).all()
        catalogue = services.catalogue
        return page.cut([_shown(known) for known in (*catalogue.all(kind), *map(catalogue.own, rows))])

    @router.get("/{definition_id}")
    def get(workspace_id: UUID, definition_id: UUID, services: ServicesDep) -> dict[str, Any]:
        """One definition."""
        with services.storage.begin() as connection:
            find_workspace(connection, workspace_id)
            known = services.catalogue.by_id(kind, str(definition_id))
            if known is None:
                known = services.catalogue.own(own_definition(connection, kind, workspace_id, definition_id))
        return _shown(known)

    @router.put("/{definition_id}")
    def replace(workspace_id: UUID, definition_id: UUID, body: DefinitionPut, services: ServicesDep) -> dict[str, Any]:
        """Rename a definition of the workspace's own, or change its tag."""
        _refuse_built_in(services.catalogue, kind, definition_id)
        with services.storage.begin() as connection:
            own = own_definition(connection, kind, workspace_id, definition_id)
            services.catalogue.check_image(kind, own.docker_repository, body.docker_image_tag)
            statement = update(definitions).where(definitions.c.definition_id == str(definition_id))
            row = connection.execute(statement.values(**body.model_dump()).returning(definitions)).one()
        return _shown(services.catalogue.own(row))

    @router.delete("/{definition_id}")
    def remove(workspace_id: UUID, definition_id: UUID, services: ServicesDep) -> dict[str, Any]:
        """Remove a definition that nothing uses, and answer it."""
        _refuse_built_in(services.catalogue, kind, definition_id)
        with services.storage.begin() as connection:
            return _shown(services.catalogue.own(remove_unused(connection, kind, workspace_id, definition_id)))

    return router


def _refuse_built_in(catalogue: Catalogue, kind: str, definition_id: UUID) -> None:
    if catalogue.by_id(kind, str(definition_id)) is not None:
        raise RefusedError("This definition comes with the server; make one of your own by POST.")


def _shown(definition: Definition) -> dict[str, Any]:
    answer = {
        "id": definition.id,
        "name": definition.name,
        "dockerRepository": definition.docker_repository,
        "dockerImageTag": definition.docker_image_tag,
    }
    return answer | ({"documentationUrl": definition.documentation_url} if definition.documentation_url else {})
