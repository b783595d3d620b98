"""Runs one command of a connector, in the process it is called in."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from airbyte_server.connectors.output import WriteLine, logging_to
from airbyte_server.connectors.program import Command, ConnectorProgram
from airbyte_server.connectors.registry import KNOWN_CONNECTORS
from airbyte_server.errors import PermanentError

if TYPE_CHECKING:
    from airbyte_server.connectors.protocol import (
        AirbyteMessage,
        AirbyteStateMessage,
        ConfiguredAirbyteCatalog,
    )


@runtime_checkable
class LineSource(Protocol):
    """A source that can write its messages itself, without a model object per record."""

    def read_lines(
        self,
        config: Mapping[str, Any],
        catalog: "ConfiguredAirbyteCatalog",
        state: "Sequence[AirbyteStateMessage]",
    ) -> Iterator[bytes]:
        r"""Every message as one JSON line ending in "\n"."""
        ...


def run_connector(
    program: ConnectorProgram,
    command: Command,
    config: Mapping[str, Any],
    configured_catalog: Mapping[str, Any] | None,
    state: Sequence[Mapping[str, Any]] | None,
    write_line: WriteLine,
) -> int:
    r"""Run `command` and write each Airbyte message as one JSON line ending in b"\n"; returns the exit code, 0 or 1.

    Failures are a TRACE ERROR message (for `check` a CONNECTION_STATUS) with the connector's sentence, and exit code 1.
    `config` may hold `sourceType`; `state` is the list of state objects of earlier STATE messages.
    An unknown connector type raises PermanentError. `write_line` may be a buffered pipe's `write`. Log messages are
    written as LOG lines. A child process should end with `os._exit`: a stopped source may leave threads.
    """
    if program.manifest is None and program.source_type not in KNOWN_CONNECTORS:
        known = ", ".join(sorted(KNOWN_CONNECTORS))
        raise PermanentError(
            f"This source type cannot run here; known are: {known}. A full Airbyte runs the others.",
            source_type=program.source_type,
        )
    from airbyte_cdk.utils.traced_exception import AirbyteTracedException

    from airbyte_server.connectors.protocol import FailureType

    with logging_to(write_line):
        try:
            catalog = configured_catalog or {"streams": []}
            for line in _lines(program, command, config, catalog, state or ()):
                write_line(line)
        except AirbyteTracedException as error:
            write_line(_line(error.as_sanitized_airbyte_message()))
            return 1
        except PermanentError as error:
            refusal = AirbyteTracedException(message=str(error), failure_type=FailureType.config_error)
            write_line(_line(refusal.as_sanitized_airbyte_message()))
            return 1
        except Exception as error:  # noqa: BLE001 - whatever a connector raises becomes its error message
            failure = AirbyteTracedException.from_exception(
                error, message=f"The connector failed: {error}", failure_type=FailureType.system_error
            )
            write_line(_line(failure.as_sanitized_airbyte_message()))
            return 1
    return 0


def _lines(
    program: ConnectorProgram,
    command: Command,
    config: Mapping[str, Any],
    configured_catalog: Mapping[str, Any],
    state: Sequence[Mapping[str, Any]],
) -> Iterator[bytes]:
    from airbyte_cdk.entrypoint import AirbyteEntrypoint

    from airbyte_server.connectors.protocol import (
        AirbyteMessage,
        AirbyteStateMessageSerializer,
        ConfiguredAirbyteCatalogSerializer,
        Type,
    )

    catalog = ConfiguredAirbyteCatalogSerializer.load(dict(configured_catalog))
    states = [AirbyteStateMessageSerializer.load(dict(one)) for one in state]
    settings: Mapping[str, Any] = {name: value for name, value in config.items() if name != "sourceType"}
    if program.manifest is None:
        source = KNOWN_CONNECTORS[program.source_type].load()
    else:
        from airbyte_server.connectors.declarative import open_manifest

        source = open_manifest(program, command, settings, catalog, states)
        settings = source.configuration
    specification = source.spec(logging.getLogger("airbyte"))
    entrypoint = AirbyteEntrypoint(source)
    match command:
        case "spec":
            yield _line(AirbyteMessage(type=Type.SPEC, spec=specification))
        case "check":
            yield from map(_line, entrypoint.check(specification, settings))
        case "discover":
            yield from map(_line, entrypoint.discover(specification, settings))
        case "read":
            if isinstance(source, LineSource):
                entrypoint.validate_connection(specification, settings)
                yield from source.read_lines(settings, catalog, states)
            else:
                yield from map(_line, entrypoint.read(specification, settings, catalog, states))


def _line(message: "AirbyteMessage") -> bytes:
    from airbyte_cdk.entrypoint import AirbyteEntrypoint

    return AirbyteEntrypoint.airbyte_message_to_string(message).encode() + b"\n"
