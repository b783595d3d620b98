"""Workspaces: one per tenant."""

from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Response
from sqlalchemy import Connection, Row, delete, insert, select, update

from airbyte_server.api.bodies import WorkspaceCreate, WorkspacePatch
from airbyte_server.api.paging import IncludeDeleted, PageDep, WorkspaceIds
from airbyte_server.errors import NotFoundError
from airbyte_server.jobs.retirement import retired
from airbyte_server.services import ServicesDep
from airbyte_server.state.tables import connections, workspaces

router = APIRouter(prefix="/workspaces", tags=["workspaces"])


@router.post("")
def create_workspace(body: WorkspaceCreate, services: ServicesDep) -> dict[str, Any]:
    """A new workspace; names need not be unique."""
    row = {"workspace_id": str(uuid4()), "name": body.name, "notifications": body.notifications or {}}
    with services.storage.begin() as connection:
        return _shown(connection.execute(insert(workspaces).values(row).returning(workspaces)).one())


@router.get("")
def list_workspaces(
    services: ServicesDep, page: PageDep, workspace_ids: WorkspaceIds = None, _: IncludeDeleted = False
) -> dict[str, Any]:
    """All workspaces, oldest first."""
    query = select(workspaces).order_by(workspaces.c.created_at, workspaces.c.workspace_id)
    if workspace_ids:
        query = query.where(workspaces.c.workspace_id.in_([str(item) for item in workspace_ids]))
    with services.storage.begin() as connection:
        return page.read(connection, query, _shown)


@router.get("/{workspace_id}")
def get_workspace(workspace_id: UUID, services: ServicesDep) -> dict[str, Any]:
    """One workspace."""
    with services.storage.begin() as connection:
        return _shown(find_workspace(connection, workspace_id))


@router.patch("/{workspace_id}")
def update_workspace(workspace_id: UUID, body: WorkspacePatch, services: ServicesDep) -> dict[str, Any]:
    """Rename a workspace, or change its notifications."""
    with services.storage.begin() as connection:
        found = find_workspace(connection, workspace_id)
        changed = body.model_dump(exclude_none=True) or {"name": found.name}
        statement = update(workspaces).where(workspaces.c.workspace_id == str(workspace_id)).values(changed)
        return _shown(connection.execute(statement.returning(workspaces)).one())


@router.delete("/{workspace_id}", status_code=204)
def delete_workspace(workspace_id: UUID, services: ServicesDep) -> Response:
    """Remove a workspace and all that is in it; running jobs are cancelled."""
    with services.storage.begin() as connection:
        find_workspace(connection, workspace_id)
    theirs = connections.c.workspace_id == str(workspace_id)
    with (
        retired(services.storage, services.supervisor, services.configurations, theirs),
        services.storage.begin() as connection,
    ):
        connection.execute(delete(workspaces).where(workspaces.c.workspace_id == str(workspace_id)))
    return Response(status_code=204)


def find_workspace(connection: Connection, workspace_id: UUID) -> Row[Any]:
    """The workspace, or NotFoundError."""
    row = connection.execute(select(workspaces).where(workspaces.c.workspace_id == str(workspace_id))).first()
    if row is None:
        raise NotFoundError(f"There is no workspace {workspace_id}.")
    return row


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "workspaceId": row.workspace_id,
        "name": row.name,
        "dataResidency": row.data_residency,
        "notifications": row.notifications,
    }
