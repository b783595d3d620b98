"""The embedded Airbyte: our server that speaks Airbyte's API, kept in the background."""

import base64
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from orchestration.settings import PROJECT_ROOT
from orchestration.stack import processes
from orchestration.stack.kept_secrets import keep_named_secret
from orchestration.stack.ports import HOST, choose_port, noted_port
from orchestration.stack.probes import http_trouble

NAME = "airbyte"
HEALTH = "/api/public/v1/health"
START_SECONDS = 90
CONNECTOR_FOLDER = "connector_secrets"
"""In the home, for the operator's files; never the stack's own `secrets`, which connectors must not read."""
ENVIRONMENT_FOLDER = "connector_environments"
"""In the home: what connectors from PyPI are installed into."""
_FOLDER_VARIABLE = "AIRBYTE_SERVER_SECRET_DIRECTORY"
_ENVIRONMENT_VARIABLE = "AIRBYTE_SERVER_ENVIRONMENT_DIRECTORY"


@dataclass(frozen=True)
class IngestionServer:
    """Where the embedded Airbyte answers, and the client that may ask it."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)


def start(home: Path, database_url: str, *, port: int = 0) -> IngestionServer:
    """Start the server if it is down and return when it is healthy; `database_url` is its own login's."""
    chosen = running_port(home)
    if chosen is None:
        processes.stop(home, NAME)  # jobs of a server that was killed
        chosen = choose_port(home, NAME, port)
        processes.launch(home, _service(home, database_url, chosen))
    answering = chosen
    processes.await_health(home, NAME, lambda: http_trouble(answering, HEALTH), seconds=START_SECONDS)
    return IngestionServer(f"http://{HOST}:{chosen}", _client_id(home), _client_secret(home))


def stop(home: Path) -> bool:
    """Stop the server and its jobs; False when it was not running."""
    return processes.stop(home, NAME)


def running_port(home: Path) -> int | None:
    """The port of the running server, or None when it is down."""
    return noted_port(home, NAME) if processes.running(home, NAME) else None


def make_fernet_key() -> str:
    """A fresh key in Fernet's form."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def _service(home: Path, database_url: str, port: int) -> processes.Service:
    return processes.Service(
        name=NAME,
        command=(sys.executable, "-m", "airbyte_server"),
        directory=PROJECT_ROOT,
        environment={
            "AIRBYTE_SERVER_DATABASE_URL": database_url,
            "AIRBYTE_SERVER_HOST": HOST,
            "AIRBYTE_SERVER_PORT": str(port),
            "AIRBYTE_SERVER_CLIENT_ID": _client_id(home),
            "AIRBYTE_SERVER_CLIENT_SECRET": _client_secret(home),
            _FOLDER_VARIABLE: os.environ.get(_FOLDER_VARIABLE) or str(home.absolute() / CONNECTOR_FOLDER),
            _ENVIRONMENT_VARIABLE: os.environ.get(_ENVIRONMENT_VARIABLE) or str(home.absolute() / ENVIRONMENT_FOLDER),
            "AIRBYTE_SERVER_SECRET_KEY": keep_named_secret(home, "airbyte_secret_key", make_fernet_key),
        },
    )


def _client_id(home: Path) -> str:
    return keep_named_secret(home, "airbyte_client_id")


def _client_secret(home: Path) -> str:
    return keep_named_secret(home, "airbyte_client_secret")
