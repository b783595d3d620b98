"""Asks a source for its schema before a job reads it, and stores what becomes of the connection."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, select, update

from airbyte_server.connections import schema_changes, written_tables
from airbyte_server.connections.schema_changes import Adoption
from airbyte_server.errors import PermanentError, RetryableError, ServerError
from airbyte_server.secrets.box import Configuration
from airbyte_server.state.storage import Storage
from airbyte_server.state.tables import connections

JsonObject = dict[str, Any]
_PLANNED_BY = ("streams", "catalog", "status", "prefix", "namespace_definition", "namespace_format", "schema_changes")


def check_schema(
    storage: Storage,
    connection: Row[Any],
    destination: Configuration,
    discover: Callable[[], list[JsonObject]] | None,
) -> Adoption:
    """What is synced now; PermanentError where the connection had to be paused, ConflictError for a taken table.

    Without `discover` what is known is taken as it is.
    """
    known = Adoption(connection.catalog, connection.streams, connection.streams)
    adoption = known if discover is None else _adoption(connection, known, discover)
    _store(storage, connection, adoption, destination)
    if adoption.pause_reason is not None:
        raise PermanentError(adoption.pause_reason)
    if not adoption.synced:
        raise PermanentError("The source has none of the connection's streams any more; choose others.")
    return adoption


def _adoption(connection: Row[Any], known: Adoption, discover: Callable[[], list[JsonObject]]) -> Adoption:
    try:
        found = discover()
    except ServerError as error:
        if connection.schema_changes != schema_changes.IGNORE:
            raise
        notice = f"The source could not be asked for its schema, so the known one is used: {error.sentence}"
        return replace(known, notices=(notice,))
    return schema_changes.adopt(connection.schema_changes, connection.catalog, connection.streams, found)


def _store(storage: Storage, connection: Row[Any], adoption: Adoption, destination: Configuration) -> None:
    with storage.begin() as transaction:
        this = connections.c.connection_id == connection.connection_id
        now = transaction.execute(select(connections).where(this).with_for_update()).one()
        if any(now._mapping[name] != connection._mapping[name] for name in _PLANNED_BY):
            raise RetryableError("The connection was changed while its job began; start it again.")
        changed: dict[str, object] = {}
        if adoption.pause_reason is not None:
            changed = {"status": "inactive", "status_reason": adoption.pause_reason}
        elif (adoption.catalog, adoption.streams) != (now.catalog, now.streams):
            changed = {"catalog": adoption.catalog, "streams": adoption.streams}
        if changed:
            transaction.execute(update(connections).where(this).values(changed))
        if adoption.pause_reason is None:
            planned = {**connection._mapping, "streams": adoption.streams}
            written_tables.reserve(transaction, planned, destination)
