"""Samples: jobs with a budget, each on a connection of its own that nothing else shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Row, Select, select, update
from sqlalchemy.dialects.postgresql import insert

from airbyte_server import sync_modes
from airbyte_server.actors.store import DESTINATION, SOURCE, find_actor
from airbyte_server.connections import catalog, written_tables
from airbyte_server.connections.store import discovered_streams
from airbyte_server.errors import RefusedError
from airbyte_server.jobs import store as job_store
from airbyte_server.jobs.budgets import Budget
from airbyte_server.services import Services
from airbyte_server.state.tables import connections, jobs

JsonObject = dict[str, Any]
_IDS = UUID("6f0d3c1e-9a57-4c3b-8d0e-2f6f5f0b7a11")
"""Makes one id of a source, a destination and a schema: a second sample of the three finds the first."""
_CHANGING = ("prefix", "catalog", "streams", "status")
"""The status too: a removal that stopped half-way leaves it closed."""


@dataclass(frozen=True, kw_only=True)
class SampleRequest:
    """What is sampled, into which schema, and how much of it; without streams all that the source has."""

    source_id: UUID
    destination_id: UUID
    schema: str
    prefix: str
    streams: Sequence[JsonObject]
    budget: Budget


def start_sample(services: Services, request: SampleRequest) -> Row[Any]:
    """A pending job; ConflictError names the sample that runs already, or the connection that writes such a table."""
    with services.storage.begin() as transaction:
        source = find_actor(transaction, SOURCE, request.source_id)
        destination = find_actor(transaction, DESTINATION, request.destination_id)
    if source.workspace_id != destination.workspace_id:
        raise RefusedError("The source and the destination belong to two workspaces; use two of one workspace.")
    discovered = discovered_streams(services, source)
    row = _connection_row(request, source, discovered)
    with services.storage.begin() as transaction:
        # Discovery takes seconds: what it was asked for may be gone, or point elsewhere.
        find_actor(transaction, SOURCE, request.source_id, lock=True)
        destination = find_actor(transaction, DESTINATION, request.destination_id, lock=True)
        transaction.execute(insert(connections).values(row).on_conflict_do_nothing())
        changed = update(connections).where(connections.c.connection_id == row["connection_id"])
        transaction.execute(changed.values({name: row[name] for name in _CHANGING}))
        job = job_store.create_job(transaction, row["connection_id"], "sync", request.budget.as_json())
        written_tables.reserve(transaction, row, services.configurations.stored(destination))
        return transaction.execute(select_samples().where(jobs.c.job_id == job.job_id)).one()


def select_samples() -> Select[Any]:
    """Jobs of samples with what was sampled, newest first."""
    c = connections.c
    return (
        select(jobs, c.source_id, c.destination_id, c.namespace_format, c.prefix)
        .join(connections, c.connection_id == jobs.c.connection_id)
        .where(c.is_sample)
        .order_by(jobs.c.job_id.desc())
    )


def _connection_row(request: SampleRequest, source: Row[Any], discovered: list[JsonObject]) -> JsonObject:
    wanted = [{**_chosen(stream), "syncMode": sync_modes.OVERWRITE} for stream in request.streams or discovered]
    key = f"{request.source_id} {request.destination_id} {request.schema}"
    return {
        "connection_id": str(uuid5(_IDS, key)),
        "workspace_id": source.workspace_id,
        "source_id": str(request.source_id),
        "destination_id": str(request.destination_id),
        "name": f"Sample of {source.name} in {request.schema}",
        "status": "active",
        "schedule": {"scheduleType": "manual"},
        "namespace_definition": "custom_format",
        "namespace_format": request.schema,
        "prefix": request.prefix,
        "schema_changes": "ignore",
        "catalog": discovered,
        "streams": catalog.accept_streams(discovered, wanted),
        "is_sample": True,
    }


def _chosen(stream: JsonObject) -> JsonObject:
    """What a sample takes over of a connection's stream: which it is, and which of its fields in what form."""
    return {name: stream[name] for name in ("name", "namespace", "selectedFields", "mappers") if stream.get(name)}
