"""What every request can reach."""

import functools
import logging
import shlex
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy import Row

from airbyte_server.actors.catalogue import Catalogue
from airbyte_server.actors.programs import Programs
from airbyte_server.actors.renewals import Renewals
from airbyte_server.connectors.asking import OnRenewal
from airbyte_server.connectors.checking import CheckAnswer
from airbyte_server.connectors.environments import Environments
from airbyte_server.connectors.folders import read_folders
from airbyte_server.connectors.inquiries import Inquiries
from airbyte_server.connectors.limits import ConnectorLimits
from airbyte_server.connectors.manifests import Manifests
from airbyte_server.connectors.packages import Packages
from airbyte_server.connectors.processes import ProcessPool
from airbyte_server.connectors.program import ConnectorProgram
from airbyte_server.jobs.attempts import RetryPolicy
from airbyte_server.jobs.planning import JobPlanner
from airbyte_server.jobs.runner import JobRunner
from airbyte_server.jobs.schedules import Schedules
from airbyte_server.jobs.supervisor import Supervisor
from airbyte_server.secrets.box import SecretBox
from airbyte_server.secrets.configurations import Configurations
from airbyte_server.secrets.key import load_key
from airbyte_server.secrets.references import SecretPlaces
from airbyte_server.settings import ServerSettings
from airbyte_server.state.storage import Storage

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Services:
    """One server's parts, made once at start."""

    settings: ServerSettings
    storage: Storage
    box: SecretBox
    configurations: Configurations
    pool: ProcessPool
    supervisor: Supervisor
    catalogue: Catalogue
    manifests: Manifests
    programs: Programs
    inquiries: Inquiries
    environments: Environments
    renewals: Renewals

    def program(self, source: Row[Any]) -> ConnectorProgram:
        """What runs as this source now, ready to run: installed first, if it has to be."""
        with self.storage.begin() as connection:
            program = self.programs.program_of(connection, source)
        return self.environments.ensure(program, on_progress=logger.info)

    def discover(self, source: Row[Any], *, fresh: bool = False) -> list[dict[str, Any]]:
        """The streams of a source, by its stored configuration; with `fresh` whatever was answered lately."""
        configuration, keep = self.configurations.resolved(source), self._keep(source)
        return self.inquiries.discover(self.program(source), configuration, fresh=fresh, on_renewal=keep)

    def check(self, source: Row[Any]) -> CheckAnswer:
        """Whether the source can be reached, by its stored configuration."""
        configuration, keep = self.configurations.resolved(source), self._keep(source)
        return self.inquiries.check(self.program(source), configuration, on_renewal=keep)

    def _keep(self, source: Row[Any]) -> OnRenewal:
        return functools.partial(self.renewals.store, source.actor_id)


def make_services(settings: ServerSettings) -> Services:
    """The parts, not yet started; nothing connects here."""
    storage = Storage(settings.database_url.get_secret_value())
    box = SecretBox(load_key(settings))
    places = SecretPlaces(settings.secret_directory.expanduser(), settings.secret_variable_prefix)
    configurations = Configurations(box, places)
    pool = ProcessPool()
    timeout = settings.connector_timeout_seconds
    manifests = Manifests(pool, timeout=timeout, allows_python=settings.allow_python_components)
    packages = Packages(settings.pypi_connectors)
    environments = make_environments(settings, pool, packages)
    catalogue = Catalogue(read_folders(settings.connectors_directory), packages)
    programs = Programs(catalogue, manifests, environments)
    renewals = Renewals(storage, configurations)
    inquiries = Inquiries(
        pool,
        fingerprint=box.fingerprint,
        timeout=timeout,
        memory_mib=settings.connector_memory_mib,
        cache_seconds=settings.connector_cache_seconds,
    )
    limits = ConnectorLimits(
        memory_mib=settings.connector_memory_mib,
        silence_seconds=settings.connector_silence_seconds,
        longest_line_mib=settings.connector_longest_line_mib,
    )
    retries = RetryPolicy(
        attempts=settings.job_attempts,
        first_pause=timedelta(seconds=settings.job_retry_pause_seconds),
        longest_pause=timedelta(seconds=settings.job_retry_longest_pause_seconds),
    )
    planner = JobPlanner(storage, configurations, programs, environments, inquiries, renewals, limits=limits)
    runner = JobRunner(
        storage, planner, pool, retries, log_lines=settings.job_log_lines, timeout=settings.job_timeout_seconds
    )
    retention = timedelta(days=settings.job_retention_days)
    supervisor = Supervisor(
        storage,
        runner,
        retries,
        limit=settings.max_concurrent_jobs,
        retention=retention,
        schedules=Schedules(storage) if settings.schedules else None,
    )
    return Services(
        settings,
        storage,
        box,
        configurations,
        pool,
        supervisor,
        catalogue,
        manifests,
        programs,
        inquiries,
        environments,
        renewals,
    )


def make_environments(settings: ServerSettings, pool: ProcessPool, packages: Packages) -> Environments:
    """Where connectors from PyPI are installed, as the settings say."""
    return Environments(
        pool,
        packages,
        settings.environment_directory,
        timeout=settings.install_timeout_seconds,
        installer=settings.installer,
        arguments=tuple(shlex.split(settings.install_arguments)),
    )


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]
