"""What a source offers, asked of its connector."""

from collections.abc import Callable
from typing import Any

from airbyte_server.connectors.processes import ChildProcess, ProcessPool, discover
from airbyte_server.errors import ConnectorError
from airbyte_server.secrets.box import Configuration
from airbyte_server.secrets.masking import scrubbed, secrets_in

JsonObject = dict[str, Any]


def discover_source(
    pool: ProcessPool,
    source_type: str,
    configuration: Configuration,
    *,
    timeout: float,
    on_start: Callable[[ChildProcess], None] = lambda child: None,
) -> list[JsonObject]:
    """The source's streams as the protocol has them; ConnectorError carries the connector's sentence, scrubbed."""
    try:
        return discover(pool, source_type, configuration, timeout=timeout, on_start=on_start)
    except ConnectorError as error:
        raise ConnectorError(scrubbed(error.sentence, secrets_in(configuration))) from None
