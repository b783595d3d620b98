"""Declarative source definitions: connectors that are a manifest and no program."""

from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter
from sqlalchemy import Row, insert, update

from airbyte_server.actors.definitions import DECLARATIVE, own_definition, remove_unused, select_own
from airbyte_server.api.bodies import DeclarativeDefinitionCreate, DeclarativeDefinitionPut
from airbyte_server.api.paging import PageDep
from airbyte_server.api.workspaces import find_workspace
from airbyte_server.connectors.manifests import Manifest
from airbyte_server.errors import RefusedError
from airbyte_server.services import Services, ServicesDep
from airbyte_server.state.tables import definitions

router = APIRouter(
    prefix="/workspaces/{workspace_id}/definitions/declarative_sources", tags=["declarative source definitions"]
)


@router.post("")
def create_definition(workspace_id: UUID, body: DeclarativeDefinitionCreate, services: ServicesDep) -> dict[str, Any]:
    """A new manifest, as version 1; one that could not run is refused."""
    checked = _checked(body.manifest, services)
    row = {
        "definition_id": str(uuid4()),
        "kind": DECLARATIVE,
        "workspace_id": str(workspace_id),
        "name": body.name,
        "manifest": checked.manifest,
        "specification": checked.specification,
    }
    with services.storage.begin() as connection:
        find_workspace(connection, workspace_id)
        return _shown(connection.execute(insert(definitions).values(row).returning(definitions)).one())


@router.get("")
def list_definitions(workspace_id: UUID, services: ServicesDep, page: PageDep) -> dict[str, Any]:
    """The workspace's manifests, oldest first."""
    with services.storage.begin() as connection:
        find_workspace(connection, workspace_id)
        return page.read(connection, select_own(DECLARATIVE, workspace_id), _shown)


@router.get("/{definition_id}")
def get_definition(workspace_id: UUID, definition_id: UUID, services: ServicesDep) -> dict[str, Any]:
    """One manifest."""
    with services.storage.begin() as connection:
        find_workspace(connection, workspace_id)
        return _shown(own_definition(connection, DECLARATIVE, workspace_id, definition_id))


@router.put("/{definition_id}")
def update_definition(
    workspace_id: UUID, definition_id: UUID, body: DeclarativeDefinitionPut, services: ServicesDep
) -> dict[str, Any]:
    """Another manifest under the same id; its version is one higher."""
    checked = _checked(body.manifest, services)
    with services.storage.begin() as connection:
        found = own_definition(connection, DECLARATIVE, workspace_id, definition_id)
        statement = update(definitions).where(definitions.c.definition_id == str(definition_id))
        changed = {
            "name": body.name or found.name,
            "manifest": checked.manifest,
            "specification": checked.specification,
            "version": definitions.c.version + 1,
        }
        return _shown(connection.execute(statement.values(changed).returning(definitions)).one())


@router.delete("/{definition_id}")
def delete_definition(workspace_id: UUID, definition_id: UUID, services: ServicesDep) -> dict[str, Any]:
    """Remove a manifest that no source uses, and answer it."""
    with services.storage.begin() as connection:
        return _shown(remove_unused(connection, DECLARATIVE, workspace_id, definition_id))


def _checked(manifest: dict[str, Any], services: Services) -> Manifest:
    if manifest.get("type", "DeclarativeSource") != "DeclarativeSource":
        raise RefusedError("manifest.type must be DeclarativeSource.")
    if not any(isinstance(manifest.get(name), list) and manifest[name] for name in ("streams", "dynamic_streams")):
        raise RefusedError("manifest.streams is missing: a list of at least one stream, or dynamic_streams.")
    return services.manifests.check(manifest)


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {"id": row.definition_id, "name": row.name, "manifest": row.manifest, "version": row.version}
