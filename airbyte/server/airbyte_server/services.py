"""What every request can reach."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy import Row

from airbyte_server.connectors.discovery import discover_source
from airbyte_server.connectors.processes import ProcessPool
from airbyte_server.jobs.planning import JobPlanner
from airbyte_server.jobs.runner import JobRunner
from airbyte_server.jobs.supervisor import Supervisor
from airbyte_server.secrets.box import SecretBox
from airbyte_server.secrets.configurations import Configurations
from airbyte_server.secrets.key import load_key
from airbyte_server.secrets.references import SecretPlaces
from airbyte_server.settings import ServerSettings
from airbyte_server.state.storage import Storage


@dataclass(frozen=True)
class Services:
    """One server's parts, made once at start."""

    settings: ServerSettings
    storage: Storage
    box: SecretBox
    configurations: Configurations
    pool: ProcessPool
    supervisor: Supervisor

    def discover(self, source: Row[Any]) -> list[dict[str, Any]]:
        """The streams of a source, by its stored configuration."""
        configuration, timeout = self.configurations.resolved(source), self.settings.connector_timeout_seconds
        return discover_source(self.pool, source.type_name, configuration, timeout=timeout)


def make_services(settings: ServerSettings) -> Services:
    """The parts, not yet started; nothing connects here."""
    storage = Storage(settings.database_url.get_secret_value())
    box = SecretBox(load_key(settings))
    places = SecretPlaces(settings.secret_directory.expanduser(), settings.secret_variable_prefix)
    configurations = Configurations(box, places)
    pool = ProcessPool()
    planner = JobPlanner(storage, configurations, pool, timeout=settings.connector_timeout_seconds)
    runner = JobRunner(storage, planner, pool, log_lines=settings.job_log_lines)
    retention = timedelta(days=settings.job_retention_days)
    supervisor = Supervisor(storage, runner, limit=settings.max_concurrent_jobs, retention=retention)
    return Services(settings, storage, box, configurations, pool, supervisor)


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]
