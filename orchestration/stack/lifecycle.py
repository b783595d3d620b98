"""The whole stack: up in order, down in reverse, and nothing left half started."""

import errno
import fcntl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from analysis.errors import PermanentError, RetryableError
from orchestration.settings import Settings
from orchestration.stack import bootstrap, ingestion_server, orchestrator, processes, sandbox
from orchestration.stack.backup.unfinished import refuse_half_restored
from orchestration.stack.database import EmbeddedPostgres
from orchestration.stack.endpoints import FILE_NAME, Endpoints
from orchestration.stack.kept_secrets import keep_named_secret
from orchestration.stack.placement import make_home
from orchestration.stack.ports import HOST, noted_port, require_free
from orchestration.stack.upgrading import bring_up_to_date

Report = Callable[[str], None]


@dataclass(frozen=True)
class ComponentState:
    """One part of the stack, whether it runs, and where."""

    component: str
    state: str
    where: str


@dataclass(frozen=True)
class DatabaseUrls:
    """The control role's URL of the warehouse and the URL of Dagster's storage."""

    control: str
    dagster: str

    def __repr__(self) -> str:
        return "DatabaseUrls(…)"


def up(
    settings: Settings, *, with_ui: bool = True, with_sandbox: bool = False, report: Report = lambda line: None
) -> Endpoints:
    """Start what is down and upgrade what is old; what this call started is stopped again when it fails.

    The sandbox starts where it is asked for, and where the home has accounts of it.
    """
    home = settings.home
    make_home(home)
    with _alone(home), ExitStack() as undo:
        with_sandbox = with_sandbox or sandbox.is_wanted(home)
        _require_ports(settings, with_ui, with_sandbox)
        urls = _start_databases(settings, report, undo)
        refuse_half_restored(urls.control)
        with ThreadPoolExecutor(1) as aside:  # Dagster's imports take seconds: they pass while Airbyte starts
            storage = aside.submit(orchestrator.prepare, home, urls.dagster, create=with_ui)
            bring_up_to_date(settings, urls.control, report)
            if with_sandbox:
                _start_sandbox(settings, report, undo)
            endpoints = _start_airbyte(settings, urls, report, undo)
            if not storage.done():
                report("Dagster: preparing its storage")
            storage.result()
        endpoints.save(home)
        ui_url = _start_ui(settings, urls.dagster, report, undo) if with_ui else _running_ui(home)
        endpoints = endpoints.model_copy(update={"dagster_ui_url": ui_url})
        endpoints.save(home)
        undo.pop_all()
    return endpoints


def start_databases(settings: Settings, report: Report = lambda line: None) -> DatabaseUrls:
    """Start and bootstrap PostgreSQL alone, without migrations."""
    make_home(settings.home)
    with _alone(settings.home), ExitStack() as undo:
        urls = _start_databases(settings, report, undo)
        undo.pop_all()
    return urls


def down(settings: Settings, report: Report = lambda line: None) -> None:
    """Stop everything of this home that runs; the data stays."""
    home = settings.home
    if not home.is_dir():
        return
    with _alone(home):
        if orchestrator.stop(home):
            report("Dagster is down")
        if ingestion_server.stop(home):
            report("Airbyte is down")
        if sandbox.stop(home):
            report("Sandbox is down")
        if EmbeddedPostgres(home).stop():
            report("PostgreSQL is down")
        (home / FILE_NAME).unlink(missing_ok=True)


def status(settings: Settings) -> list[ComponentState]:
    """Every component with its state: running, down, or external; the sandbox where the home has accounts of it."""
    home = settings.home
    daemon = processes.running(home, orchestrator.DAEMON)
    states = [
        _database_state(settings),
        _airbyte_state(settings),
        _state("Dagster UI", orchestrator.running_port(home), "http://{}:{}"),
        ComponentState("Dagster daemon", "running" if daemon else "down", f"process {daemon}" if daemon else ""),
    ]
    if sandbox.is_wanted(home) or sandbox.running_port(home):
        states.append(_state("Sandbox", sandbox.running_port(home), "http://{}:{}"))
    return states


def given_url(secret: SecretStr) -> str:
    """A URL from the settings in the one form that is stored: postgresql://, no driver."""
    scheme, separator, rest = secret.get_secret_value().partition("://")
    plain = "postgresql" if scheme.partition("+")[0] in ("postgres", "postgresql") else scheme
    return f"{plain}{separator}{rest}"


def _require_ports(settings: Settings, with_ui: bool, with_sandbox: bool) -> None:
    """Every port that the settings fix is free or in our hands: better refused now than when half of it runs."""
    home = settings.home
    if settings.airbyte_url is None and settings.airbyte_port and ingestion_server.running_port(home) is None:
        require_free(settings.airbyte_port, "SLUICE_AIRBYTE_PORT")
    if with_ui and settings.dagster_port and orchestrator.running_port(home) is None:
        require_free(settings.dagster_port, "SLUICE_DAGSTER_PORT")
    if with_sandbox and settings.sandbox_port and sandbox.running_port(home) is None:
        require_free(settings.sandbox_port, "SLUICE_SANDBOX_PORT")


def _start_databases(settings: Settings, report: Report, undo: ExitStack) -> DatabaseUrls:
    home = settings.home
    control_url = _control_url(settings, report, undo)
    bootstrap.bootstrap_roles(control_url, home)
    bootstrap.prepare_warehouse(control_url)
    if settings.dagster_database_url is not None:
        return DatabaseUrls(control_url, given_url(settings.dagster_database_url))
    return DatabaseUrls(control_url, bootstrap.prepare_dagster_database(control_url, home))


def _control_url(settings: Settings, report: Report, undo: ExitStack) -> str:
    if settings.database_url is not None:
        report("PostgreSQL: using the one of SLUICE_DATABASE_URL")
        return given_url(settings.database_url)
    server = EmbeddedPostgres(settings.home, port=settings.postgres_port)
    if server.running_port() is None:
        undo.callback(server.stop)
    port = server.start(report)
    report(f"PostgreSQL is up on port {port}")
    return bootstrap.bootstrap_cluster(server.admin_url(port), settings.home)


def _start_airbyte(settings: Settings, urls: DatabaseUrls, report: Report, undo: ExitStack) -> Endpoints:
    home = settings.home
    if settings.airbyte_url is not None:
        report("Airbyte: using the one of SLUICE_AIRBYTE_URL")
        secret = settings.airbyte_client_secret
        server = ingestion_server.IngestionServer(
            settings.airbyte_url.rstrip("/"),
            settings.airbyte_client_id or "",
            secret.get_secret_value() if secret else "",
        )
    else:
        if ingestion_server.running_port(home) is None:
            report("Airbyte: starting the embedded server")
            undo.callback(ingestion_server.stop, home)
        login = bootstrap.with_login(urls.control, bootstrap.AIRBYTE, keep_named_secret(home, bootstrap.AIRBYTE))
        server = ingestion_server.start(home, login, port=settings.airbyte_port)
        report(f"Airbyte is up at {server.url}")
    return Endpoints(
        control_url=urls.control,
        dagster_url=urls.dagster,
        airbyte_url=server.url,
        airbyte_client_id=server.client_id,
        airbyte_client_secret=server.client_secret,
        loader_login=bootstrap.LOADER,
        loader_password=keep_named_secret(home, bootstrap.LOADER),
    )


def _start_sandbox(settings: Settings, report: Report, undo: ExitStack) -> None:
    home = settings.home
    before = noted_port(home, sandbox.NAME)
    if sandbox.running_port(home) is None:
        undo.callback(sandbox.stop, home)
    url = sandbox.start(home, port=settings.sandbox_port)
    report(f"Sandbox is up at {url}")
    if before not in (None, noted_port(home, sandbox.NAME)):
        report("Sandbox: it has another port than before; `sluice demo` tells the demo's sources")


def _start_ui(settings: Settings, storage_url: str, report: Report, undo: ExitStack) -> str:
    home = settings.home
    if orchestrator.running_port(home) is None:
        report("Dagster: starting the webserver and the daemon")
        undo.callback(orchestrator.stop, home)
    url = orchestrator.start(home, storage_url, port=settings.dagster_port)
    report(f"Dagster is up at {url}")
    return url


def _running_ui(home: Path) -> str | None:
    port = orchestrator.running_port(home)
    return f"http://{HOST}:{port}" if port else None


def _database_state(settings: Settings) -> ComponentState:
    if settings.database_url is not None:
        parts = urlsplit(given_url(settings.database_url))
        return ComponentState("PostgreSQL", "external", parts.netloc.rpartition("@")[2] + parts.path)
    return _state("PostgreSQL", EmbeddedPostgres(settings.home).running_port(), "{}:{}")


def _airbyte_state(settings: Settings) -> ComponentState:
    if settings.airbyte_url is not None:
        return ComponentState("Airbyte", "external", settings.airbyte_url)
    return _state("Airbyte", ingestion_server.running_port(settings.home), "http://{}:{}")


def _state(component: str, port: int | None, form: str) -> ComponentState:
    return ComponentState(component, "running" if port else "down", form.format(HOST, port) if port else "")


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One `up` or `down` at a time for a home; the kernel ends the claim of one that was killed."""
    with _disk_troubles_named(home), (home / "stack.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RetryableError(
                "Another `sluice up` or `sluice down` works on this home; wait for it.", home=str(home)
            ) from error
        yield


@contextmanager
def _disk_troubles_named(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM):
            raise
        raise PermanentError(
            "The home cannot be written; free some disk space, or run as the user that it belongs to.",
            file=str(error.filename or home),
            reason=error.strerror,
        ) from error
