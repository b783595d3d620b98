"""Tags: words that connections of a workspace are grouped by."""

from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Response
from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from airbyte_server.api.bodies import TagCreate, TagPatch
from airbyte_server.api.paging import PageDep, WorkspaceIds
from airbyte_server.api.workspaces import find_workspace
from airbyte_server.errors import ConflictError, NotFoundError
from airbyte_server.services import ServicesDep
from airbyte_server.state.tables import tags

router = APIRouter(prefix="/tags", tags=["tags"])


@router.post("")
def create_tag(body: TagCreate, services: ServicesDep) -> dict[str, Any]:
    """A new tag; a name is taken once in a workspace."""
    row = {"tag_id": str(uuid4()), "workspace_id": str(body.workspace_id), "name": body.name, "color": body.color}
    with services.storage.begin() as connection:
        find_workspace(connection, body.workspace_id)
        return shown(_write(connection, insert(tags).values(row), body.name))


@router.get("")
def list_tags(services: ServicesDep, page: PageDep, workspace_ids: WorkspaceIds = None) -> dict[str, Any]:
    """Tags by name."""
    query = select(tags).order_by(tags.c.name, tags.c.tag_id)
    if workspace_ids:
        query = query.where(tags.c.workspace_id.in_([str(item) for item in workspace_ids]))
    with services.storage.begin() as connection:
        return page.read(connection, query, shown)


@router.get("/{tag_id}")
def get_tag(tag_id: UUID, services: ServicesDep) -> dict[str, Any]:
    """One tag."""
    with services.storage.begin() as connection:
        return shown(find_tag(connection, tag_id))


@router.patch("/{tag_id}")
def update_tag(tag_id: UUID, body: TagPatch, services: ServicesDep) -> dict[str, Any]:
    """Rename or recolour a tag, on every connection that has it."""
    with services.storage.begin() as connection:
        found = find_tag(connection, tag_id)
        changed = {"name": body.name or found.name, "color": body.color or found.color}
        return shown(_write(connection, update(tags).where(tags.c.tag_id == str(tag_id)).values(changed), body.name))


@router.delete("/{tag_id}", status_code=204)
def delete_tag(tag_id: UUID, services: ServicesDep) -> Response:
    """Remove a tag, also from the connections that have it."""
    with services.storage.begin() as connection:
        find_tag(connection, tag_id)
        connection.execute(delete(tags).where(tags.c.tag_id == str(tag_id)))
    return Response(status_code=204)


def find_tag(connection: Connection, tag_id: UUID) -> Row[Any]:
    """The tag, or NotFoundError."""
    row = connection.execute(select(tags).where(tags.c.tag_id == str(tag_id))).first()
    if row is None:
        raise NotFoundError(f"There is no tag {tag_id}.")
    return row


def shown(row: Row[Any]) -> dict[str, Any]:
    """The tag as the API answers it."""
    return {"tagId": row.tag_id, "name": row.name, "color": row.color, "workspaceId": row.workspace_id}


def _write(connection: Connection, statement: Any, name: str | None) -> Row[Any]:
    try:
        with connection.begin_nested():
            row: Row[Any] = connection.execute(statement.returning(tags)).one()
            return row
    except IntegrityError:
        raise ConflictError(f"The workspace has a tag {name!r} already; use that one.") from None
