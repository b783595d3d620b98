"""Turns a job's row into the order that its process works by."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Row, select

from airbyte_server.actors import destinations
from airbyte_server.actors.programs import Programs
from airbyte_server.actors.renewals import Renewals
from airbyte_server.connections import catalog, written_tables
from airbyte_server.connections.schema_changes import Adoption
from airbyte_server.connectors.environments import Environments
from airbyte_server.connectors.inquiries import Inquiries
from airbyte_server.connectors.limits import ConnectorLimits
from airbyte_server.connectors.processes import ChildProcess
from airbyte_server.connectors.program import ConnectorProgram
from airbyte_server.connectors.renewal import merged
from airbyte_server.errors import PermanentError
from airbyte_server.jobs import store as job_store
from airbyte_server.jobs.budgets import budget_of
from airbyte_server.jobs.messages import CLEARING, REFRESH, ClearOrder, JobOrder
from airbyte_server.jobs.schema_check import check_schema
from airbyte_server.jobs.states import known_states
from airbyte_server.secrets.box import Configuration
from airbyte_server.secrets.configurations import Configurations
from airbyte_server.secrets.marks import marks_of
from airbyte_server.secrets.masking import secrets_in
from airbyte_server.state.storage import Storage
from airbyte_server.state.tables import actors, connections

JsonObject = dict[str, Any]


class JobPlanner:
    """Reads what a job needs, and looks for schema changes where the connection asks for that."""

    def __init__(
        self,
        storage: Storage,
        configurations: Configurations,
        programs: Programs,
        environments: Environments,
        inquiries: Inquiries,
        renewals: Renewals,
        *,
        limits: ConnectorLimits,
    ) -> None:
        self._storage = storage
        self._configurations = configurations
        self._programs = programs
        self._environments = environments
        self._inquiries = inquiries
        self._renewals = renewals
        self._limits = limits

    def plan(
        self,
        job: job_store.JobRow,
        *,
        on_start: Callable[[ChildProcess], None],
        on_progress: Callable[[str], None],
    ) -> JobOrder | ClearOrder:
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
        destination_config = self._configurations.resolved(destination)
        if job.job_type in CLEARING:
            return self._clear_order(job, connection, destination_config)
        with self._storage.begin() as transaction:
            program = self._programs.program_of(transaction, source)
        program = self._environments.ensure(program, on_start=on_start, on_progress=on_progress)
        source_config = self._configurations.resolved(source)

        def renew(fields: JsonObject) -> None:
            self._renewals.store(source.actor_id, fields)
            source_config.update(merged(source_config, fields))

        def discover() -> list[JsonObject]:
            return self._inquiries.discover(program, source_config, on_start=on_start, on_renewal=renew)

        stored = self._configurations.stored(destination)
        adoption = check_schema(self._storage, connection, stored, None if job.budget is not None else discover)
        destinations.check_reachable(destination_config)
        return self._order(job, connection, program, adoption, source_config, destination_config)

    def renew(self, order: JobOrder, fields: JsonObject) -> None:
        """Keep what the job's connector changed of its configuration."""
        self._renewals.store(order.source_id, fields)

    def _clear_order(self, job: job_store.JobRow, connection: Row[Any], destination: Configuration) -> ClearOrder:
        """Only the tables of the connection are known: what its source is like now plays no part."""
        schemas = written_tables.schemas_of(dict(connection._mapping), destination)
        with self._storage.begin() as transaction:
            job_store.begin_generations(transaction, connection.connection_id, connection.streams, all_new=True)
        targets = catalog.emptied_targets(connection.catalog, connection.streams, schemas, connection.prefix)
        conninfo = destinations.conninfo(destination)
        destinations.check_reachable(destination)
        # States of an older server move to their rows, so that they go when the rows go and not before.
        known_states(self._storage, connection.connection_id, targets, conninfo)
        return ClearOrder(
            job_id=job.job_id,
            attempt=job.attempts - 1,
            connection_id=connection.connection_id,
            targets=targets,
            destination=conninfo,
            staging_schema=destinations.staging_schema(destination),
            secrets=secrets_in({"destination": destination}),
        )

    def _order(
        self,
        job: job_store.JobRow,
        connection: Row[Any],
        program: ConnectorProgram,
        adoption: Adoption,
        source_config: Configuration,
        destination_config: Configuration,
    ) -> JobOrder:
        streams, refreshes = adoption.synced, job.job_type == REFRESH
        schemas = written_tables.schemas_of({**connection._mapping, "streams": streams}, destination_config)
        with self._storage.begin() as transaction:
            generations = job_store.begin_generations(transaction, connection.connection_id, streams, all_new=refreshes)
        targets = catalog.stream_targets(
            adoption.catalog, streams, schemas, connection.prefix, generations, refreshes=refreshes
        )
        conninfo, known = destinations.conninfo(destination_config), None
        if job.budget is None:
            known = known_states(self._storage, connection.connection_id, targets, conninfo)
        return JobOrder(
            job_id=job.job_id,
            attempt=job.attempts - 1,
            connection_id=connection.connection_id,
            source_id=connection.source_id,
            program=program,
            configuration=source_config,
            configured_catalog=catalog.configured_catalog(adoption.catalog, streams),
            targets=targets,
            notices=adoption.notices,
            states=[] if known is None or refreshes else known.states,
            state_version=None if known is None else known.version,
            destination=conninfo,
            staging_schema=destinations.staging_schema(destination_config),
            budget=budget_of(job.budget),
            secrets=secrets_in(
                {"source": source_config, "destination": destination_config},
                marks={"source": marks_of(program.specification)},
            ),
            limits=self._limits,
        )
