"""The sandbox: made-up SaaS accounts behind HTTP, for the demo and for trying things, kept in the background."""

import random
import sys
from pathlib import Path

from orchestration.settings import PROJECT_ROOT
from orchestration.stack import processes
from orchestration.stack.ports import HOST, choose_port, is_free, noted_port
from orchestration.stack.probes import http_trouble

NAME = "sandbox"
HEALTH = "/sandbox/health"
START_SECONDS = 60
QUIET_PORTS = range(20_000, 32_000)
"""Below those that the kernel hands out: the port is in sources' configurations, so it must be free after a pause."""


def accounts_file(home: Path) -> Path:
    """Where the sandbox keeps its accounts."""
    return home / NAME / "accounts.json"


def is_wanted(home: Path) -> bool:
    """Whether the home has accounts of the sandbox, and so tenants whose sources ask it."""
    return accounts_file(home).exists()


def start(home: Path, *, port: int = 0) -> str:
    """Start the sandbox if it is down and return its URL when it is healthy."""
    chosen = running_port(home)
    if chosen is None:
        processes.stop(home, NAME)
        accounts = accounts_file(home)
        accounts.parent.mkdir(mode=0o700, exist_ok=True)
        chosen = choose_port(home, NAME, port or _first_port(home))
        processes.launch(home, _service(accounts, chosen))
    answering = chosen
    processes.await_health(home, NAME, lambda: http_trouble(answering, HEALTH), seconds=START_SECONDS)
    return f"http://{HOST}:{chosen}"


def stop(home: Path) -> bool:
    """Stop the sandbox; False when it was not running."""
    return processes.stop(home, NAME)


def running_port(home: Path) -> int | None:
    """The port of the running sandbox, or None when it is down."""
    return noted_port(home, NAME) if processes.running(home, NAME) else None


def running_url(home: Path) -> str | None:
    """Where the running sandbox answers, or None when it is down."""
    port = running_port(home)
    return f"http://{HOST}:{port}" if port else None


def _first_port(home: Path) -> int:
    """A port for a sandbox that never had one, else 0: the one it had."""
    if noted_port(home, NAME) is not None:
        return 0
    return next(port for port in random.sample(QUIET_PORTS, len(QUIET_PORTS)) if is_free(port))


def _service(accounts: Path, port: int) -> processes.Service:
    command = (sys.executable, "-m", "airbyte_sandbox", "serve", "--port", str(port), "--accounts", str(accounts))
    return processes.Service(name=NAME, command=command, directory=PROJECT_ROOT)
