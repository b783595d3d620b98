"""Configurations of sources and destinations, between their rows and those who may see them."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select

from airbyte_server.secret_box import Configuration, SecretBox
from airbyte_server.secret_references import resolved
from airbyte_server.tables import actors


class Configurations:
    """Seals and opens them; only `resolved` reads what secret references name."""

    def __init__(self, box: SecretBox, secret_directory: Path | None) -> None:
        self._box = box
        self._directory = secret_directory

    def seal(self, actor_id: str, configuration: Configuration) -> bytes:
        """The ciphertext for this actor's row; in another row it does not open."""
        return self._box.seal(configuration, purpose=actor_id)

    def stored(self, actor: Row[Any]) -> Configuration:
        """The configuration as it was given."""
        return self._box.open(actor.configuration, purpose=actor.actor_id)

    def resolved(self, actor: Row[Any]) -> Configuration:
        """The configuration as a connector needs it, with the secrets that it only names."""
        return resolved(self.stored(actor), self._directory)

    def check_key(self, connection: Connection) -> None:
        """PermanentError if this server's key is not the one that sealed what is stored."""
        actor = connection.execute(select(actors).limit(1)).first()
        if actor is not None:
            self.stored(actor)
