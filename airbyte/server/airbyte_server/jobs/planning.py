"""Turns a job's row into the order that its process works by."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Row, select, update

from airbyte_server.actors import destinations
from airbyte_server.connections import catalog, written_tables
from airbyte_server.connectors.discovery import discover_source
from airbyte_server.connectors.processes import ChildProcess, ProcessPool
from airbyte_server.errors import PermanentError
from airbyte_server.jobs import store as job_store
from airbyte_server.jobs.messages import JobOrder
from airbyte_server.secrets.box import Configuration
from airbyte_server.secrets.configurations import Configurations
from airbyte_server.secrets.masking import secrets_in
from airbyte_server.state.storage import Storage
from airbyte_server.state.tables import actors, connections

_REDISCOVERING = ("propagate_columns", "propagate_fully", "disable_connection")

JsonObject = dict[str, Any]


class JobPlanner:
    """Reads what a job needs, and looks for schema changes where the connection asks for that."""

    def __init__(self, storage: Storage, configurations: Configurations, pool: ProcessPool, *, timeout: float) -> None:
        self._storage = storage
        self._configurations = configurations
        self._pool = pool
        self._timeout = timeout

    def plan(self, job: job_store.JobRow, *, on_start: Callable[[ChildProcess], None]) -> JobOrder:
        """The order of a job; a connection that can no longer be synced raises with a sentence."""
        with self._storage.begin() as transaction:
            connection = transaction.execute(
                select(connections).where(connections.c.connection_id == job.connection_id)
            ).one()
            source = transaction.execute(select(actors).where(actors.c.actor_id == connection.source_id)).one()
            destination = transaction.execute(
                select(actors).where(actors.c.actor_id == connection.destination_id)
            ).one()
        if connection.status != "active":
            raise PermanentError(f"Connection {connection.name!r} is {connection.status}; make it active first.")
        source_config = self._configurations.resolved(source)
        streams, discovered = connection.streams, connection.catalog
        if connection.schema_changes in _REDISCOVERING:
            found = discover_source(
                self._pool, source.type_name, source_config, timeout=self._timeout, on_start=on_start
            )
            streams, discovered = self._adopt_changes(connection, found)
        with self._storage.begin() as transaction:
            planned = {**connection._mapping, "streams": streams}
            written_tables.reserve(transaction, planned, self._configurations.stored(destination))
        destination_config = self._configurations.resolved(destination)
        destinations.check_reachable(destination_config)
        return self._order(job, connection, source, streams, discovered, source_config, destination_config)

    def _adopt_changes(
        self, connection: Row[Any], found: list[JsonObject]
    ) -> tuple[list[JsonObject], list[JsonObject]]:
        streams = list(connection.streams)
        if found == connection.catalog:
            return streams, found
        if connection.schema_changes == "disable_connection":
            self._store(connection.connection_id, status="inactive")
            raise PermanentError(
                "The source's schema changed, so the connection is now inactive; review and activate it."
            )
        if connection.schema_changes == "propagate_fully":
            known = {catalog.stream_key(stream) for stream in connection.catalog}
            new = [stream for stream in found if catalog.stream_key(stream) not in known]
            streams += catalog.choose_streams(new)
        catalog.configured_catalog(found, streams)
        self._store(connection.connection_id, catalog=found, streams=streams)
        return streams, found

    def _store(self, connection_id: str, **values: object) -> None:
        with self._storage.begin() as transaction:
            transaction.execute(update(connections).where(connections.c.connection_id == connection_id).values(values))

    def _order(
        self,
        job: job_store.JobRow,
        connection: Row[Any],
        source: Row[Any],
        streams: list[JsonObject],
        discovered: list[JsonObject],
        source_config: Configuration,
        destination_config: Configuration,
    ) -> JobOrder:
        schemas = written_tables.schemas_of({**connection._mapping, "streams": streams}, destination_config)
        configured = catalog.configured_catalog(discovered, streams)
        with self._storage.begin() as transaction:
            generations = job_store.begin_generations(transaction, connection.connection_id, streams)
            states = job_store.states_of(transaction, connection.connection_id, streams)
        return JobOrder(
            job_id=job.job_id,
            connection_id=connection.connection_id,
            source_type=source.type_name,
            configuration=source_config,
            configured_catalog=configured,
            targets=catalog.stream_targets(discovered, streams, schemas, connection.prefix, generations),
            states=[] if job.record_limit is not None else states,
            destination=destinations.conninfo(destination_config),
            staging_schema=destinations.staging_schema(destination_config),
            state_database=self._storage.url,
            record_limit=job.record_limit,
            secrets=secrets_in({"source": source_config, "destination": destination_config}),
        )
