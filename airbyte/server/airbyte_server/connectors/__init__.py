"""The connectors that run here, and how a child process runs one."""

from airbyte_server.connectors.program import Command, ConnectorProgram
from airbyte_server.connectors.registry import KNOWN_CONNECTORS, ConnectorDefinition
from airbyte_server.connectors.running import run_connector

__all__ = ["KNOWN_CONNECTORS", "Command", "ConnectorDefinition", "ConnectorProgram", "run_connector"]
