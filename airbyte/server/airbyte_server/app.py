"""The application: routes under each of Airbyte's addresses, parts started and stopped with it."""

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from starlette.concurrency import run_in_threadpool

from airbyte_server.api import actors, auth, configuration, connections, health, jobs, problems, streams, workspaces
from airbyte_server.api.auth import TokenRequired
from airbyte_server.services import Services

logger = logging.getLogger(__name__)

PUBLIC_PREFIXES = ("/api/public/v1", "/v1")
CONFIGURATION_PREFIX = "/api/v1"


def create_app(services: Services) -> FastAPI:
    """The server's application; its parts start with it and stop with it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(_start, services)
        logger.info("The server is ready.")
        yield
        await run_in_threadpool(_stop, services)
        logger.info("The server has stopped.")

    app = FastAPI(title="Airbyte (embedded)", version="1", lifespan=lifespan)
    app.state.services = services
    problems.install(app)
    app.include_router(auth.router, include_in_schema=False)
    for prefix in PUBLIC_PREFIXES:
        app.include_router(_public(), prefix=prefix, include_in_schema=prefix == PUBLIC_PREFIXES[0])
    open_router, closed_router = _open(), APIRouter(dependencies=[TokenRequired])
    closed_router.include_router(configuration.router)
    app.include_router(open_router, prefix=CONFIGURATION_PREFIX)
    app.include_router(closed_router, prefix=CONFIGURATION_PREFIX)
    return app


def _open() -> APIRouter:
    router = APIRouter()
    router.include_router(auth.router)
    router.include_router(health.router)
    return router


def _public() -> APIRouter:
    closed = APIRouter(dependencies=[TokenRequired])
    for part in (
        workspaces.router,
        actors.make_router(actors.SOURCE),
        actors.make_router(actors.DESTINATION),
        connections.router,
        streams.router,
        jobs.router,
    ):
        closed.include_router(part)
    router = _open()
    router.include_router(closed)
    return router


def _start(services: Services) -> None:
    services.storage.open()
    services.supervisor.start()
    # Loading the connectors' libraries takes two seconds; nobody has to wait for it.
    threading.Thread(target=services.pool.warm_up, name="warm-up", daemon=True).start()


def _stop(services: Services) -> None:
    services.supervisor.stop()
    services.storage.close()
