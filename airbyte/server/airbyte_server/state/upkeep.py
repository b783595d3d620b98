"""What a server does once before it serves: is the key right, and who writes which table."""

import logging

from sqlalchemy import select

from airbyte_server.connections import written_tables as writers
from airbyte_server.errors import ServerError
from airbyte_server.services import Services
from airbyte_server.state.tables import actors, connections, written_tables

logger = logging.getLogger(__name__)


def prepare(services: Services) -> None:
    """PermanentError if the key cannot read what is stored; connections of an older server get their tables noted."""
    with services.storage.begin() as connection:
        services.configurations.check_key(connection)
        noted = select(written_tables.c.connection_id).distinct()
        is_unnoted = connections.c.connection_id.not_in(noted), ~connections.c.is_sample
        unnoted = connection.execute(select(connections).where(*is_unnoted)).all()
        for row in unnoted:
            destination = connection.execute(select(actors).where(actors.c.actor_id == row.destination_id)).one()
            try:
                with connection.begin_nested():
                    writers.reserve(connection, dict(row._mapping), services.configurations.stored(destination))
            except ServerError as error:
                logger.warning("Connection %s cannot run: %s", row.connection_id, error)
