"""Where a job goes on from: states are in the destination, see `loader.state_table`; an older server's move there."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import psycopg
from sqlalchemy import ColumnElement, Connection, null, select, update

from airbyte_server.actors import destinations
from airbyte_server.errors import ServerError
from airbyte_server.loader import StreamTarget, database, state_table
from airbyte_server.loader.messages import JsonObject
from airbyte_server.loader.state_table import KnownStates
from airbyte_server.secrets.configurations import Configurations
from airbyte_server.state.storage import Storage
from airbyte_server.state.tables import actors, connections, stream_states, written_tables

logger = logging.getLogger(__name__)


def known_states(
    storage: Storage, connection_id: str, targets: Sequence[StreamTarget], destination: str
) -> KnownStates:
    """The states of these streams, read where their rows are; RetryableError where that does not answer."""
    with database.connect(destination) as session, database.naming_errors():
        _move_old(storage, session, connection_id, targets)
        return state_table.read(session, connection_id, targets)


def _move_old(
    storage: Storage, session: database.Connection, connection_id: str, targets: Sequence[StreamTarget]
) -> None:
    """Older servers kept states beside the jobs; they are not taken from there before they are stored here."""
    wanted = {(target.stream, target.source_namespace or "") for target in targets} | {("", "")}
    mine = stream_states.c.connection_id == connection_id
    with storage.begin() as transaction:
        rows = transaction.execute(select(stream_states).where(mine, stream_states.c.state.is_not(None))).all()
    old: dict[tuple[str, str], JsonObject] = {
        (row.stream, row.namespace): row.state for row in rows if (row.stream, row.namespace) in wanted
    }
    if not old:
        return
    with session.transaction():
        for state in old.values():
            state_table.adopt(session, connection_id, targets, state)
    with storage.begin() as transaction:
        for stream, namespace in old:
            this = (mine, stream_states.c.stream == stream, stream_states.c.namespace == namespace)
            transaction.execute(update(stream_states).where(*this).values(state=null()))


@dataclass(frozen=True)
class StatePlace:
    """Where the states of one connection may be; the login is a secret."""

    connection_id: str
    destination: str = field(repr=False)
    schemas: Sequence[str]


def state_places(
    transaction: Connection, configurations: Configurations, which: ColumnElement[bool]
) -> list[StatePlace]:
    """Where connections that are about to be removed have states; one whose destination is not readable has none."""
    places = []
    for row in transaction.execute(select(connections.c.connection_id, connections.c.destination_id).where(which)):
        written = select(written_tables.c.schema_name).where(written_tables.c.connection_id == row.connection_id)
        schemas = sorted(set(transaction.execute(written).scalars()))
        actor = transaction.execute(select(actors).where(actors.c.actor_id == row.destination_id)).one()
        try:
            destination = destinations.conninfo(configurations.resolved(actor))
        except ServerError as error:
            logger.warning("States of connection %s stay in its destination: %s", row.connection_id, error)
            continue
        places.append(StatePlace(row.connection_id, destination, schemas))
    return places


def forget_states(places: Iterable[StatePlace]) -> None:
    """Delete the states of removed connections; what does not answer keeps them, where nobody reads them again."""
    unreachable: set[str] = set()
    for place in places:
        if not place.schemas or place.destination in unreachable:
            continue
        try:
            with psycopg.connect(place.destination, connect_timeout=3) as session:
                state_table.forget_connection(session, place.connection_id, place.schemas)
        except psycopg.Error as error:
            unreachable.add(place.destination)
            what = type(error).__name__
            logger.warning("States of connection %s stay in its destination: %s.", place.connection_id, what)
