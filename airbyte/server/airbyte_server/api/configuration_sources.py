"""Sources in the configuration API: asked whether they can be reached, and what they offer."""

import time
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID, uuid4

from fastapi import APIRouter
from sqlalchemy import Row

from airbyte_server.actors.store import SOURCE, find_actor
from airbyte_server.api.configuration import shown_stream
from airbyte_server.api.configuration_bodies import SchemaDiscovery, SourceReference
from airbyte_server.connections import catalog
from airbyte_server.errors import RefusedError, ServerError
from airbyte_server.services import Services, ServicesDep

router = APIRouter(prefix="/sources", tags=["configuration API"])

JsonObject = dict[str, Any]
Found = TypeVar("Found")


@router.post("/check_connection")
def check_connection(body: SourceReference, services: ServicesDep) -> JsonObject:
    """Whether the source can be reached with its stored configuration; that it cannot is an answer too."""
    source = _source(body.source_id, services)
    job, found = _timed(source, "check_connection_source", lambda: services.check(source))
    if found is None:
        return {"status": "failed", "message": job["failureReason"]["externalMessage"], "jobInfo": job}
    answer: JsonObject = {"status": "succeeded" if found.succeeded else "failed", "jobInfo": job}
    return answer | ({"message": found.message} if found.message else {})


@router.post("/discover_schema")
def discover_schema(body: SchemaDiscovery, services: ServicesDep) -> JsonObject:
    """The source's catalog, each stream in its best mode; where the connector refuses, `jobInfo` says why."""
    source = _source(body.source_id, services)
    job, found = _timed(source, "discover_schema", lambda: services.discover(source, fresh=body.disable_cache))
    if found is None:
        return {"jobInfo": job}
    streams = [shown_stream(stream, _best(stream)) for stream in found]
    return {"catalog": {"streams": streams}, "catalogId": str(uuid4()), "jobInfo": job}


def _best(stream: JsonObject) -> JsonObject | None:
    """How the stream would be synced, or None where nothing goes without a choice."""
    try:
        return catalog.choose_streams([stream])[0]
    except RefusedError:
        return None


def _source(source_id: UUID, services: Services) -> Row[Any]:
    with services.storage.begin() as connection:
        return find_actor(connection, SOURCE, source_id)


def _timed(source: Row[Any], config_type: str, ask: Callable[[], Found]) -> tuple[JsonObject, Found | None]:
    """What was found, if anything, and the call as Airbyte tells of it: as a job that has ended."""
    job: JsonObject = {
        "id": str(uuid4()),
        "configType": config_type,
        "configId": source.definition_id,
        "createdAt": int(time.time()),
        "connectorConfigurationUpdated": False,
        "logs": {"logLines": []},
    }
    found: Found | None = None
    try:
        found = ask()
    except ServerError as error:
        job["failureReason"] = {"failureOrigin": "source", "externalMessage": error.sentence, "retryable": False}
    return job | {"endedAt": int(time.time()), "succeeded": found is not None}, found
