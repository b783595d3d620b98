"""The connectors that run here, and how a child process runs one."""

from airbyte_server.connectors.registry import KNOWN_CONNECTORS, ConnectorDefinition
from airbyte_server.connectors.running import Command, run_connector

__all__ = ["KNOWN_CONNECTORS", "Command", "ConnectorDefinition", "run_connector"]
