"""What every request can reach."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from airbyte_server.connector_process import ProcessPool
from airbyte_server.job_order import JobPlanner
from airbyte_server.jobs import Supervisor
from airbyte_server.secret_box import SecretBox
from airbyte_server.settings import ServerSettings
from airbyte_server.storage import Storage


@dataclass(frozen=True)
class Services:
    """One server's parts, made once at start."""

    settings: ServerSettings
    storage: Storage
    box: SecretBox
    pool: ProcessPool
    supervisor: Supervisor


def make_services(settings: ServerSettings) -> Services:
    """The parts, not yet started; nothing connects here."""
    storage = Storage(settings.database_url.get_secret_value())
    box = SecretBox(settings.secret_key.get_secret_value())
    pool = ProcessPool()
    planner = JobPlanner(storage, box, pool, timeout=settings.connector_timeout_seconds)
    supervisor = Supervisor(storage, planner, pool, limit=settings.max_concurrent_jobs)
    return Services(settings, storage, box, pool, supervisor)


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]
