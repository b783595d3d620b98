"""Configurations of sources and destinations, between their rows and those who may see them."""

from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from airbyte_server.errors import RefusedError
from airbyte_server.secrets.box import Configuration, SecretBox
from airbyte_server.secrets.references import SecretPlaces, check_references, resolved
from airbyte_server.state.tables import actors


class Configurations:
    """Seals and opens them; only `resolved` reads what secret references name."""

    def __init__(self, box: SecretBox, places: SecretPlaces) -> None:
        self._box = box
        self._places = places

    def check(self, configuration: Configuration) -> None:
        """RefusedError if it cannot be stored, or names a secret that no connector may read."""
        try:
            orjson.dumps(configuration)
        except TypeError:
            raise RefusedError(
                "The configuration cannot be stored: its numbers have at most 64 bits, its texts are whole characters, "
                "and it is at most 254 levels deep."
            ) from None
        check_references(configuration, self._places)

    def seal(self, actor_id: str, configuration: Configuration) -> bytes:
        """The ciphertext for this actor's row; in another row it does not open."""
        return self._box.seal(configuration, purpose=actor_id)

    def stored(self, actor: Row[Any]) -> Configuration:
        """The configuration as it was given."""
        return self._box.open(actor.configuration, purpose=actor.actor_id)

    def resolved(self, actor: Row[Any]) -> Configuration:
        """The configuration as a connector needs it, with the secrets that it only names."""
        return resolved(self.stored(actor), self._places)

    def check_key(self, connection: Connection) -> None:
        """PermanentError if this server's key is not the one that sealed what is stored."""
        actor = connection.execute(select(actors).limit(1)).first()
        if actor is not None:
            self.stored(actor)
