"""The application: routes under each of Airbyte's addresses, parts started and stopped with it."""

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi_offline import FastAPIOffline
from starlette.concurrency import run_in_threadpool

from airbyte_server.actors.store import DESTINATION, SOURCE
from airbyte_server.api import (
    actors,
    auth,
    configuration,
    configuration_jobs,
    configuration_sources,
    connections,
    declarative_definitions,
    definitions,
    embedded,
    health,
    jobs,
    problems,
    samples,
    streams,
    tags,
    workspaces,
)
from airbyte_server.api.auth import TokenRequired
from airbyte_server.api.body_limit import BodyLimit
from airbyte_server.services import Services

logger = logging.getLogger(__name__)

PREFIXES = ("/api/public/v1", "/v1", "/api/v1")
"""Each serves the public API and the configuration API's calls: clients put their bases together in many ways."""
EMBEDDED_PREFIX = "/api/embedded/v1"


def create_app(services: Services) -> FastAPI:
    """The server's application; its parts start with it and stop with it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(_start, services)
        logger.info("The server is ready.")
        yield
        await run_in_threadpool(_stop, services)
        logger.info("The server has stopped.")

    # FastAPI's own page fetches its script from a public network, which a server on loopback may not have.
    app = FastAPIOffline(redoc_url=None, title="Airbyte (embedded)", version="1", lifespan=lifespan)
    app.state.services = services
    problems.install(app)
    app.add_middleware(BodyLimit, mib=services.settings.longest_body_mib)
    app.include_router(auth.router, include_in_schema=False)
    for prefix in PREFIXES:
        app.include_router(_public(), prefix=prefix, include_in_schema=prefix == PREFIXES[0])
    app.include_router(embedded.router, prefix=EMBEDDED_PREFIX, dependencies=[TokenRequired])
    if services.settings.samples_enabled:
        app.include_router(samples.router, prefix=EMBEDDED_PREFIX, dependencies=[TokenRequired])
    return app


def _public() -> APIRouter:
    closed = APIRouter(dependencies=[TokenRequired])
    for part in (
        workspaces.router,
        declarative_definitions.router,
        definitions.make_router("source"),
        definitions.make_router("destination"),
        actors.make_router(SOURCE),
        actors.make_router(DESTINATION),
        configuration.router,
        configuration_jobs.router,
        configuration_sources.router,
        connections.router,
        streams.router,
        jobs.router,
        tags.router,
    ):
        closed.include_router(part)
    router = APIRouter()
    for part in (auth.router, health.router, closed):
        router.include_router(part)
    return router


def _start(services: Services) -> None:
    services.storage.open()
    services.environments.sweep()
    services.supervisor.start()
    # Loading the connectors' libraries takes two seconds; nobody has to wait for it.
    threading.Thread(target=services.pool.warm_up, name="warm-up", daemon=True).start()


def _stop(services: Services) -> None:
    services.supervisor.stop()
    services.storage.close()
