"""The one kind of destination that runs here: PostgreSQL."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from airbyte_server.errors import PermanentError, RefusedError, RetryableError
from airbyte_server.loader.database import refuses_login
from airbyte_server.secrets.masking import scrubbed, secrets_in
from airbyte_server.secrets.references import is_reference

POSTGRES = "postgres"
POSTGRES_DEFINITION_ID = "25c5221d-dce2-4163-ade9-739ef790f503"
_REQUIRED = ("host", "database", "username")
_CONNECT_TIMEOUT_SECONDS = 10
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_NO_TUNNEL = {"tunnel_method": "NO_TUNNEL"}


def check_configuration(configuration: Mapping[str, Any]) -> None:
    """Refuse a configuration that could never connect; nothing is contacted."""
    missing = [name for name in _REQUIRED if not isinstance(configuration.get(name), str) or not configuration[name]]
    if missing:
        raise RefusedError(f"A postgres destination needs {', '.join(missing)}; set it in the configuration.")
    port = configuration.get("port", 5432)
    if not isinstance(port, int) or not 0 < port < 65536:
        raise RefusedError("The port of a postgres destination is a number from 1 to 65535.")
    for name in ("password", "schema", "raw_data_schema"):
        if configuration.get(name) is not None and not isinstance(configuration[name], str):
            raise RefusedError(f"The {name} of a postgres destination is a text.")
    ssl_mode = configuration.get("ssl_mode")
    if ssl_mode is not None and (not isinstance(ssl_mode, Mapping) or ssl_mode.get("mode") not in _SSL_MODES):
        raise RefusedError(f"The ssl_mode of a postgres destination is {{mode: one of {', '.join(_SSL_MODES)}}}.")
    if (configuration.get("tunnel_method") or _NO_TUNNEL) != _NO_TUNNEL:
        raise RefusedError("SSH tunnels do not run here; open the tunnel beside the server and name its local port.")
    if is_reference(configuration.get("schema")):
        raise RefusedError("The schema of a postgres destination is no secret; write it out.")


def conninfo(configuration: Mapping[str, Any]) -> str:
    """How to connect with libpq."""
    mode = (configuration.get("ssl_mode") or {}).get("mode")
    return make_conninfo(
        host=configuration["host"],
        port=configuration.get("port", 5432),
        dbname=configuration["database"],
        user=configuration["username"],
        password=configuration.get("password") or "",  # given, so that libpq sends nobody the server's PGPASSWORD
        sslmode=mode or ("require" if configuration.get("ssl") else "prefer"),
        connect_timeout=_CONNECT_TIMEOUT_SECONDS,
        application_name="airbyte_server",
    )


def staging_schema(configuration: Mapping[str, Any]) -> str:
    """Where the loader keeps its temporary tables."""
    return str(configuration.get("raw_data_schema") or "airbyte_internal")


def check_reachable(configuration: Mapping[str, Any]) -> None:
    """Connect once; the error says where to and what PostgreSQL answered, without the password.

    A login that is refused is a PermanentError, anything else may pass.
    """
    try:
        psycopg.connect(conninfo(configuration)).close()
    except psycopg.OperationalError as error:
        answer = scrubbed(str(error).strip().splitlines()[0], secrets_in(dict(configuration)))
        kind = PermanentError if refuses_login(error) else RetryableError
        raise kind(f"The destination cannot be reached: {answer}.") from None


def server_name(configuration: Mapping[str, Any]) -> str:
    """Which database is meant, the same for two configurations that reach it by one address."""
    host = str(configuration["host"]).strip().lower()
    host = "127.0.0.1" if host in ("localhost", "::1") else host
    return f"{host}:{configuration.get('port', 5432)}/{configuration['database']}"


def default_schema(configuration: Mapping[str, Any]) -> str:
    """Where streams land unless their connection says otherwise."""
    return str(configuration.get("schema") or "public")
