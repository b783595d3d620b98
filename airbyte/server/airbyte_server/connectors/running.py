"""Runs one command of a connector, in the process it is called in."""

import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from airbyte_server.connectors.registry import KNOWN_CONNECTORS
from airbyte_server.errors import PermanentError

if TYPE_CHECKING:
    from airbyte_cdk.sources import Source

    from airbyte_server.connectors.protocol import (
        AirbyteMessage,
        AirbyteStateMessage,
        ConfiguredAirbyteCatalog,
        ConfiguredAirbyteStream,
    )

Command = Literal["spec", "check", "discover", "read"]
WriteLine = Callable[[bytes], object]


@runtime_checkable
class LineSource(Protocol):
    """A source that can write its messages itself, without a model object per record."""

    def read_lines(
        self,
        config: Mapping[str, Any],
        catalog: "ConfiguredAirbyteCatalog",
        state: "Sequence[AirbyteStateMessage]",
        record_limit: int | None = None,
    ) -> Iterator[bytes]:
        r"""Every message as one JSON line ending in "\n"."""
        ...


def run_connector(
    connector_type: str,
    command: Command,
    config: Mapping[str, Any],
    configured_catalog: Mapping[str, Any] | None,
    state: Sequence[Mapping[str, Any]] | None,
    write_line: WriteLine,
    *,
    record_limit: int | None = None,
) -> int:
    r"""Run `command` and write each Airbyte message as one JSON line ending in b"\n"; returns the exit code, 0 or 1.

    Failures are a TRACE ERROR message (for `check` a CONNECTION_STATUS) with the connector's sentence, and exit code 1.
    `config` may hold `sourceType`; `state` is the list of state objects that the loader's `on_state` received.
    With `record_limit` at most that many records per stream are read, each stream then counts as complete, and no STATE
    is written. An unknown connector type raises PermanentError. `write_line` may be a buffered pipe's `write`. Log
    messages are written as LOG lines. A child process should end with `os._exit`: a stopped source may leave threads.
    """
    definition = KNOWN_CONNECTORS.get(connector_type)
    if definition is None:
        known = ", ".join(sorted(KNOWN_CONNECTORS))
        raise PermanentError(
            f"This source type cannot run here; known are: {known}. A full Airbyte runs the others.",
            source_type=connector_type,
        )
    from airbyte_cdk.utils.traced_exception import AirbyteTracedException

    from airbyte_server.connectors.protocol import FailureType

    source = definition.load()
    with _logging_to(write_line):
        try:
            catalog = configured_catalog or {"streams": []}
            for line in _lines(source, command, config, catalog, state or (), record_limit):
                write_line(line)
        except AirbyteTracedException as error:
            write_line(_line(error.as_sanitized_airbyte_message()))
            return 1
        except Exception as error:  # noqa: BLE001 - whatever a connector raises becomes its error message
            failure = AirbyteTracedException.from_exception(
                error, message=f"The connector failed: {error}", failure_type=FailureType.system_error
            )
            write_line(_line(failure.as_sanitized_airbyte_message()))
            return 1
    return 0


def _lines(
    source: "Source",
    command: Command,
    config: Mapping[str, Any],
    configured_catalog: Mapping[str, Any],
    state: Sequence[Mapping[str, Any]],
    record_limit: int | None,
) -> Iterator[bytes]:
    from airbyte_cdk.entrypoint import AirbyteEntrypoint

    from airbyte_server.connectors.protocol import (
        AirbyteMessage,
        AirbyteStateMessageSerializer,
        ConfiguredAirbyteCatalogSerializer,
        Type,
    )

    settings = {name: value for name, value in config.items() if name != "sourceType"}
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
            catalog = ConfiguredAirbyteCatalogSerializer.load(dict(configured_catalog))
            states = [AirbyteStateMessageSerializer.load(dict(one)) for one in state]
            if isinstance(source, LineSource):
                entrypoint.validate_connection(specification, settings)
                lines = source.read_lines(settings, catalog, states, record_limit)
                yield from lines if record_limit is None else filter(_is_no_state, lines)
            elif record_limit is None:
                yield from map(_line, entrypoint.read(specification, settings, catalog, states))
            else:
                for stream in catalog.streams:
                    alone = replace(catalog, streams=[stream])
                    messages = entrypoint.read(specification, settings, alone, states)
                    yield from map(_line, _first_records(messages, stream, record_limit))


def _first_records(
    messages: "Iterable[AirbyteMessage]", configured: "ConfiguredAirbyteStream", limit: int
) -> "Iterator[AirbyteMessage]":
    from airbyte_cdk.utils.stream_status_utils import as_airbyte_message

    from airbyte_server.connectors.protocol import AirbyteStreamStatus, Type

    count = 0
    for message in messages:
        if message.type == Type.STATE:
            continue
        yield message
        count += message.type == Type.RECORD
        if count >= limit:
            yield as_airbyte_message(configured.stream, AirbyteStreamStatus.COMPLETE)
            return


def _is_no_state(line: bytes) -> bool:
    return not line.startswith(b'{"type":"STATE"')


def _line(message: "AirbyteMessage") -> bytes:
    from airbyte_cdk.entrypoint import AirbyteEntrypoint

    return AirbyteEntrypoint.airbyte_message_to_string(message).encode() + b"\n"


class _LogLines(logging.Handler):
    def __init__(self, write_line: WriteLine) -> None:
        super().__init__()
        self._write_line = write_line

    def emit(self, record: logging.LogRecord) -> None:
        self._write_line(self.format(record).encode() + b"\n")


@contextmanager
def _logging_to(write_line: WriteLine) -> Iterator[None]:
    """The connector's log becomes LOG messages; what it prints goes to stderr, not among its messages."""
    from airbyte_cdk.logger import AirbyteLogFormatter

    handler = _LogLines(write_line)
    handler.setFormatter(AirbyteLogFormatter())
    logger = logging.getLogger("airbyte")
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    hook = sys.excepthook
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.excepthook = hook
        logger.removeHandler(handler)
        logger.propagate = propagated
