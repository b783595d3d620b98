"""Stores what connectors change of their own configuration."""

import logging

from sqlalchemy import select, update

from airbyte_server.connectors.components import refuse_injection
from airbyte_server.connectors.program import JsonObject
from airbyte_server.connectors.renewal import merged
from airbyte_server.errors import RefusedError
from airbyte_server.secrets.configurations import Configurations
from airbyte_server.secrets.references import holds_reference
from airbyte_server.state.storage import Storage
from airbyte_server.state.tables import actors

logger = logging.getLogger(__name__)


class Renewals:
    """Keeps renewed tokens, so that the next run does not come with one that was used up."""

    def __init__(self, storage: Storage, configurations: Configurations) -> None:
        self._storage = storage
        self._configurations = configurations

    def store(self, source_id: str, fields: JsonObject) -> None:
        """Put these fields into the source's configuration; what could not be stored is left out, and logged."""
        if holds_reference(fields):  # it was given none: an API that names one would be sent what it leads to
            logger.warning("Source %s renewed its configuration in vain: by a reference to a secret.", source_id)
            return
        with self._storage.begin() as connection:
            this = actors.c.actor_id == source_id
            source = connection.execute(select(actors).where(this).with_for_update()).first()
            if source is None:
                return
            new = merged(self._configurations.stored(source), fields)
            try:
                self._configurations.check(new)
                refuse_injection(new)
            except RefusedError as error:
                logger.warning("Source %s renewed its configuration in vain: %s", source_id, error.sentence)
                return
            sealed = self._configurations.seal(source_id, new)
            connection.execute(update(actors).where(this).values(configuration=sealed))
        logger.info("Source %s renewed its configuration: %s.", source_id, ", ".join(sorted(fields)))
