"""What can run here: the connectors that come with the server, and a workspace's own names for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, delete, select

from airbyte_server.actors import destinations
from airbyte_server.connectors import KNOWN_CONNECTORS
from airbyte_server.errors import ConflictError, NotFoundError
from airbyte_server.state.tables import actors, definitions

DECLARATIVE = "declarative"


@dataclass(frozen=True, kw_only=True)
class Definition:
    """One connector as the API lists it; `type_name` is what runs it."""

    id: str
    name: str
    type_name: str
    docker_repository: str
    docker_image_tag: str
    documentation_url: str | None = None


BUILT_IN: Mapping[str, Sequence[Definition]] = {
    "source": [
        Definition(
            id=known.definition_id,
            name=known.name,
            type_name=known.source_type,
            # Not airbyte/source-file: another connector, with another configuration.
            docker_repository=f"embedded/source-{known.source_type}",
            docker_image_tag=known.version,
        )
        for known in KNOWN_CONNECTORS.values()
    ],
    "destination": [
        Definition(
            id=destinations.POSTGRES_DEFINITION_ID,
            name="Postgres",
            type_name=destinations.POSTGRES,
            docker_repository="airbyte/destination-postgres",
            docker_image_tag="3.0.10",
            documentation_url="https://docs.airbyte.com/integrations/destinations/postgres",
        )
    ],
}
"""By kind; the ids are those of Airbyte's registry where it has the connector."""


def runs_image(kind: str, docker_repository: str) -> bool:
    """Whether the connector of this image runs here, without the image."""
    return any(known.docker_repository == docker_repository for known in BUILT_IN[kind])


def as_definition(row: Row[Any]) -> Definition:
    """A workspace's own definition."""
    type_name = next(
        (each.type_name for each in BUILT_IN[row.kind] if each.docker_repository == row.docker_repository), ""
    )
    return Definition(
        id=row.definition_id,
        name=row.name,
        type_name=type_name,
        docker_repository=row.docker_repository,
        docker_image_tag=row.docker_image_tag,
        documentation_url=row.documentation_url,
    )


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
