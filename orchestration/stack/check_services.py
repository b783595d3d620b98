"""Checks of the ports and of the servers that answer on them."""

from collections.abc import Iterator

import httpx

from orchestration.settings import Settings
from orchestration.stack import ingestion_server, orchestrator, sandbox
from orchestration.stack.database import EmbeddedPostgres
from orchestration.stack.ports import is_free
from orchestration.stack.probes import http_trouble

Outcome = tuple[bool, str, str]
START = "Run `sluice up`."


def ports(settings: Settings) -> Iterator[Outcome]:
    """A port that the settings name is free, or held by this home's own program."""
    home = settings.home
    wanted = {
        "POSTGRES": (settings.postgres_port, EmbeddedPostgres(home).running_port()),
        "AIRBYTE": (settings.airbyte_port, ingestion_server.running_port(home)),
        "DAGSTER": (settings.dagster_port, orchestrator.running_port(home)),
        "SANDBOX": (settings.sandbox_port, sandbox.running_port(home)),
    }
    for name, (port, held) in wanted.items():
        if port and held and held != port:
            yield False, f"SLUICE_{name}_PORT is {port}, but it runs on {held}.", "Run `sluice down`, then `sluice up`."
        elif port:
            ok = held == port or is_free(port)
            sentence = f"Port {port} is {'ours' if held else 'free' if ok else 'in use by another program'}."
            yield ok, sentence, f"Free it, or choose another SLUICE_{name}_PORT."
    if not any(port for port, _ in wanted.values()):
        yield True, "No port is fixed by the settings; free ones are chosen.", ""


def airbyte(settings: Settings) -> Iterator[Outcome]:
    """The Airbyte answers its health call."""
    if settings.airbyte_url is not None:
        trouble = _external_trouble(settings.airbyte_url.rstrip("/") + ingestion_server.HEALTH)
        sentence = f"Airbyte at {settings.airbyte_url} {'answers' if trouble is None else 'does not: ' + trouble}."
        yield trouble is None, sentence, "Check SLUICE_AIRBYTE_URL and whether that Airbyte is up."
        return
    port = ingestion_server.running_port(settings.home)
    if port is None:
        yield False, "The embedded Airbyte is down.", START
        return
    trouble = http_trouble(port, ingestion_server.HEALTH)
    sentence = f"The embedded Airbyte on port {port} {'is healthy' if trouble is None else 'is not: ' + trouble}."
    yield trouble is None, sentence, f"Look at {settings.home}/logs/airbyte.log; then `sluice down`, `sluice up`."


def dagster_ui(settings: Settings) -> Iterator[Outcome]:
    """The Dagster UI answers where it runs; one that was not started is no fault."""
    port = orchestrator.running_port(settings.home)
    if port is None:
        yield True, "The Dagster UI is not running; `sluice up` starts it.", ""
        return
    yield _answer(settings, "The Dagster UI", port, "/server_info", "dagster.log")


def sandbox_server(settings: Settings) -> Iterator[Outcome]:
    """The sandbox answers where the home has accounts of it; a home without any needs none."""
    home = settings.home
    if not sandbox.is_wanted(home):
        return
    port = sandbox.running_port(home)
    if port is None:
        yield False, "The sandbox is down, which the demo's tenants are read from.", START
        return
    yield _answer(settings, "The sandbox", port, sandbox.HEALTH, "sandbox.log")


def _answer(settings: Settings, what: str, port: int, path: str, log: str) -> Outcome:
    trouble = http_trouble(port, path)
    sentence = f"{what} on port {port} {'answers' if trouble is None else 'does not: ' + trouble}."
    return trouble is None, sentence, f"Look at {settings.home}/logs/{log}; then `sluice down`, `sluice up`."


def _external_trouble(url: str) -> str | None:
    try:
        status = httpx.get(url, timeout=10).status_code
    except httpx.HTTPError as error:
        return str(error) or type(error).__name__
    return None if status == 200 else f"it answers {status}"
