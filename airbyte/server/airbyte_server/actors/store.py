"""Sources and destinations as rows: what may be stored, and how it changes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from airbyte_server.actors import destinations
from airbyte_server.actors.catalogue import Catalogue
from airbyte_server.actors.definitions import DECLARATIVE, find_own
from airbyte_server.actors.programs import declarative_type
from airbyte_server.connections import written_tables
from airbyte_server.connectors.components import refuse_injection
from airbyte_server.errors import NotFoundError, RefusedError
from airbyte_server.jobs.retirement import retired
from airbyte_server.jobs.supervisor import Supervisor
from airbyte_server.secrets.box import Configuration
from airbyte_server.secrets.configurations import Configurations
from airbyte_server.secrets.marks import ALL_MARKED, Marks
from airbyte_server.secrets.masking import unmasked
from airbyte_server.secrets.moving import refuse_moved
from airbyte_server.state.storage import Storage
from airbyte_server.state.tables import actors, connections


@dataclass(frozen=True)
class ActorKind:
    """Source or destination: its names in the API, and what its configuration must be."""

    name: str
    check: Callable[[Configuration], None]

    @property
    def id_field(self) -> str:
        """`sourceId` or `destinationId`."""
        return f"{self.name}Id"

    @property
    def type_field(self) -> str:
        """`sourceType` or `destinationType`."""
        return f"{self.name}Type"


SOURCE = ActorKind("source", check=refuse_injection)
DESTINATION = ActorKind("destination", check=destinations.check_configuration)


def find_actor(connection: Connection, kind: ActorKind, actor_id: UUID | str, *, lock: bool = False) -> Row[Any]:
    """The source or destination, or NotFoundError."""
    query = select(actors).where(actors.c.actor_id == str(actor_id), actors.c.kind == kind.name)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFoundError(f"There is no {kind.name} {actor_id}.")
    return row


def create_actor(
    connection: Connection,
    configurations: Configurations,
    catalogue: Catalogue,
    kind: ActorKind,
    *,
    workspace_id: str,
    name: str,
    configuration: Configuration,
    definition_id: str | None,
    resource_allocation: dict[str, Any] | None,
) -> Row[Any]:
    """A new one, of a type that runs here."""
    type_name, definition_id = _type_of(connection, catalogue, kind, workspace_id, configuration, definition_id)
    actor_id, typed = str(uuid4()), {**configuration, kind.type_field: type_name}
    _check(configurations, kind, typed)
    row = {
        "actor_id": actor_id,
        "kind": kind.name,
        "workspace_id": workspace_id,
        "name": name,
        "type_name": type_name,
        "definition_id": definition_id,
        "configuration": configurations.seal(actor_id, typed),
        "resource_allocation": resource_allocation,
    }
    return connection.execute(insert(actors).values(row).returning(actors)).one()


def update_actor(
    connection: Connection,
    configurations: Configurations,
    kind: ActorKind,
    actor_id: UUID,
    *,
    name: str | None,
    configuration: Configuration | None,
    resource_allocation: dict[str, Any] | None,
    marks: Marks,
    merge: bool,
) -> Row[Any]:
    """Change what is given; the configuration whole, or with `merge` its top-level fields."""
    found = find_actor(connection, kind, actor_id, lock=True)
    if configuration is not None and marks is ALL_MARKED:
        raise RefusedError(f"The connector of {kind.name} {found.name!r} cannot run now; mend that, then change this.")
    stored = configurations.stored(found)
    given = stored if configuration is None else unmasked(configuration, stored, marks=marks)
    if given.get(kind.type_field, found.type_name) != found.type_name:
        raise RefusedError(f"A {kind.name} keeps its type; create another {kind.name} instead.")
    new = {**(stored if merge else {}), **given, kind.type_field: found.type_name}
    refuse_moved(kind.name, configuration or {}, new, stored, marks)
    _check(configurations, kind, new)
    if kind is DESTINATION and new != stored:
        written_tables.reserve_again(connection, found.actor_id, new)
    changed = {
        "name": name or found.name,
        "configuration": configurations.seal(found.actor_id, new),
        "resource_allocation": resource_allocation or found.resource_allocation,
    }
    statement = update(actors).where(actors.c.actor_id == found.actor_id).values(changed)
    return connection.execute(statement.returning(actors)).one()


def remove_actor(
    storage: Storage, supervisor: Supervisor, configurations: Configurations, kind: ActorKind, actor_id: UUID
) -> None:
    """Remove it with its connections, and end their jobs first."""
    with storage.begin() as connection:
        find_actor(connection, kind, actor_id)
        uses = or_(connections.c.source_id == str(actor_id), connections.c.destination_id == str(actor_id))
    with retired(storage, supervisor, configurations, uses), storage.begin() as connection:
        connection.execute(delete(actors).where(actors.c.actor_id == str(actor_id)))


def _check(configurations: Configurations, kind: ActorKind, configuration: Configuration) -> None:
    configurations.check(configuration)
    kind.check(configuration)


def _type_of(
    connection: Connection,
    catalogue: Catalogue,
    kind: ActorKind,
    workspace_id: str,
    configuration: Configuration,
    definition_id: str | None,
) -> tuple[str, str]:
    """Type name and definition id, of either or both; where they contradict each other neither is right."""
    named = configuration.get(kind.type_field)
    if definition_id is None:
        known = catalogue.by_type(kind.name, named)
        what = (
            f"{kind.name.capitalize()} type {named!r} does not run here."
            if isinstance(named, str) and named
            else f"Give {kind.type_field} in the configuration, or a definitionId."
        )
    else:
        known = catalogue.by_id(kind.name, definition_id)
        what = f"{kind.name.capitalize()} definition {definition_id} does not run here."
        own = find_own(connection, workspace_id, definition_id) if known is None else None
        if own is not None and own.kind == DECLARATIVE and kind is SOURCE:
            if named not in (None, declarative_type(definition_id)):
                raise RefusedError(f"Definition {own.name!r} is a manifest; leave {kind.type_field} {named!r} out.")
            return declarative_type(definition_id), definition_id
        if own is not None and own.kind == kind.name:
            known = catalogue.own(own)
    if known is None or not known.type_name or named not in (None, known.type_name):
        types = ", ".join(sorted(each.type_name for each in catalogue.all(kind.name)))
        raise RefusedError(f"{what} Known types: {types}.")
    return known.type_name, known.id
