"""Definitions that workspaces made: names of their own for connectors that run here, and manifests."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, delete, select

from airbyte_server.errors import ConflictError, NotFoundError
from airbyte_server.state.tables import actors, definitions

DECLARATIVE = "declarative"


def own_definition(connection: Connection, kind: str, workspace_id: UUID | str, definition_id: UUID | str) -> Row[Any]:
    """A definition that the workspace made, or NotFoundError."""
    row = find_own(connection, workspace_id, definition_id)
    if row is None or row.kind != kind:
        raise NotFoundError(f"The workspace has no {kind} definition {definition_id} of its own.")
    return row


def find_own(connection: Connection, workspace_id: UUID | str, definition_id: UUID | str) -> Row[Any] | None:
    """A definition of any kind that the workspace made, if there is one of this id."""
    return connection.execute(
        select(definitions).where(
            definitions.c.definition_id == str(definition_id), definitions.c.workspace_id == str(workspace_id)
        )
    ).first()


def select_own(kind: str, workspace_id: UUID | str) -> Select[Any]:
    """What a workspace made of this kind, oldest first."""
    mine = definitions.c.workspace_id == str(workspace_id), definitions.c.kind == kind
    return select(definitions).where(*mine).order_by(definitions.c.created_at, definitions.c.definition_id)


def remove_unused(connection: Connection, kind: str, workspace_id: UUID | str, definition_id: UUID | str) -> Row[Any]:
    """Remove a definition of the workspace and return it; ConflictError where a source or destination uses it."""
    found = own_definition(connection, kind, workspace_id, definition_id)
    query = select(actors.c.name).where(actors.c.definition_id == str(definition_id)).limit(1)
    user = connection.execute(query).scalar_one_or_none()
    if user is not None:
        raise ConflictError(f"Definition {found.name!r} is used by {user!r}; delete that first.")
    connection.execute(delete(definitions).where(definitions.c.definition_id == str(definition_id)))
    return found
