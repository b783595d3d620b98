"""Source `file`: JSONL, CSV and Parquet files of a folder or a list, one stream each."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.sources import Source
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from airbyte_server.connectors.cursors import Progress
from airbyte_server.connectors.file_catalog import describe, read_catalog
from airbyte_server.connectors.files import StreamFile, read_records, stream_files
from airbyte_server.connectors.protocol import (
    AirbyteCatalog,
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteMessageSerializer,
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStreamState,
    AirbyteStreamStatus,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    ConnectorSpecification,
    FailureType,
    Status,
    StreamDescriptor,
    SyncMode,
    Type,
)
from airbyte_server.connectors.values import as_json, text_parsers
from airbyte_server.errors import PermanentError

_STATE_RECORDS = 10_000

_SPECIFICATION: Mapping[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "File Source Spec",
    "type": "object",
    "required": ["path"],
    "additionalProperties": True,
    "properties": {
        "path": {
            "title": "Path",
            "description": "A folder, a file or a list of them: .jsonl, .ndjson, .csv or .parquet, one stream each.",
            "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
        },
        "catalog": {
            "title": "Catalog",
            "description": "A JSON file of an Airbyte catalog: schemas, primary keys and cursors by stream name.",
            "type": "string",
        },
        "max_records": {
            "title": "Most records",
            "description": "At most this many records of each stream are read.",
            "type": "integer",
            "minimum": 1,
        },
    },
}


@contextmanager
def _as_config_error(stream: str | None = None) -> Iterator[None]:
    try:
        yield
    except PermanentError as error:
        raise AirbyteTracedException(
            message=str(error),
            internal_message=str(error),
            failure_type=FailureType.config_error,
            exception=error,
            stream_descriptor=StreamDescriptor(name=stream) if stream else None,
        ) from error


class FileSource(Source):
    """Speaks the Airbyte protocol; `read_lines` is `read` without a model object per record."""

    @property
    def name(self) -> str:
        """The source type."""
        return "source-file"

    def spec(self, logger: logging.Logger) -> ConnectorSpecification:
        """Path, catalog and a record limit."""
        return ConnectorSpecification(connectionSpecification=dict(_SPECIFICATION), supportsIncremental=True)

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Succeeds if every file is there, the catalog is readable, and each file's first record is."""
        try:
            read_catalog(config.get("catalog"))
            for file in stream_files(config["path"]).values():
                next(read_records(file), None)
        except PermanentError as error:
            return AirbyteConnectionStatus(status=Status.FAILED, message=str(error))
        return AirbyteConnectionStatus(status=Status.SUCCEEDED)

    def discover(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteCatalog:
        """One stream per file."""
        with _as_config_error():
            entries = read_catalog(config.get("catalog"))
            files = stream_files(config["path"])
            return AirbyteCatalog(streams=[describe(file, entries.get(name)) for name, file in files.items()])

    def read(
        self,
        logger: logging.Logger,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage] | None = None,
    ) -> Iterator[AirbyteMessage]:
        """The messages of `read_lines` as models."""
        for line in self.read_lines(config, catalog, state or []):
            yield AirbyteMessageSerializer.load(orjson.loads(line))

    def read_lines(
        self,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: Sequence[AirbyteStateMessage],
    ) -> Iterator[bytes]:
        r"""Every message of a read as one JSON line ending in "\n"; a failure is raised after INCOMPLETE."""
        with _as_config_error():
            files = stream_files(config["path"])
        for configured in catalog.streams:
            stream = configured.stream
            try:
                with _as_config_error(stream.name):
                    yield _status(configured, AirbyteStreamStatus.STARTED)
                    reader = _StreamReader(configured, _file_of(stream.name, files), _state_of(stream.name, state))
                    yield from reader.lines(config.get("max_records"))
            except AirbyteTracedException:
                yield _status(configured, AirbyteStreamStatus.INCOMPLETE)
                raise
            yield _status(configured, AirbyteStreamStatus.COMPLETE)


class _StreamReader:
    """Reads one stream; an incremental one from where its state says."""

    def __init__(self, configured: ConfiguredAirbyteStream, file: StreamFile, state: Mapping[str, Any]) -> None:
        self._file = file
        self._name = configured.stream.name
        self._parsers = text_parsers(configured.stream.json_schema) if file.kind == ".csv" else {}
        cursor = configured.cursor_field or configured.stream.default_cursor_field or []
        self._incremental = configured.sync_mode == SyncMode.incremental and len(cursor) == 1
        self._cursor_field = cursor[0] if cursor else None
        if state.get("cursor_field", self._cursor_field) != self._cursor_field:
            state = {}  # how far another field was read says nothing of this one
        status = file.path.stat()
        # A half-read file is taken up again only if it is still the same.
        self._fingerprint = [status.st_size, status.st_mtime_ns]
        resume = state.get("read") or {}
        self._resumes = self._incremental and resume.get("file") == self._fingerprint
        self._since = state.get("cursor")
        self._position = int(resume["position"]) if self._resumes else 0
        self._progress = Progress(cursor[0], self._since) if self._incremental else None
        if self._progress is not None and self._resumes:
            self._progress.reach(resume.get("highest"))

    def lines(self, limit: int | None) -> Iterator[bytes]:
        """RECORD lines, and STATE lines where the stream is incremental."""
        head = b'{"type":"RECORD","record":{"stream":' + orjson.dumps(self._name) + b',"data":'
        emitted = 0
        for text, record in read_records(self._file, self._position):
            self._position += 1
            if self._progress is None or self._progress.is_new(record):
                yield b'%b%b,"emitted_at":%d}}\n' % (head, text or self._json(record), time.time_ns() // 1_000_000)
                emitted += 1
                if emitted == limit:
                    break
            if self._progress is not None and self._position % _STATE_RECORDS == 0:
                yield self._state(half_way=True)
        else:
            if self._progress is not None:
                yield self._state(half_way=False)
            return
        if self._progress is not None:
            yield self._state(half_way=True)

    def _json(self, record: Mapping[str, Any]) -> bytes:
        if not self._parsers:
            return as_json(record)
        return as_json({name: self._parsed(name, value) for name, value in record.items()})

    def _parsed(self, name: str, value: Any) -> Any:
        parse = self._parsers.get(name)
        return value if parse is None or value is None else parse(value)

    def _state(self, *, half_way: bool) -> bytes:
        assert self._progress is not None
        # The file is in no order: until its end the old cursor holds, and the position says how far the read is.
        cursor = self._since if half_way else self._progress.highest
        state: dict[str, Any] = {"cursor_field": self._cursor_field, "cursor": cursor}
        if half_way:
            state["read"] = {
                "position": self._position,
                "highest": self._progress.highest,
                "file": self._fingerprint,
            }
        message = AirbyteStateMessage(
            type=AirbyteStateType.STREAM,
            stream=AirbyteStreamState(
                stream_descriptor=StreamDescriptor(name=self._name), stream_state=AirbyteStateBlob(state)
            ),
        )
        return _line(AirbyteMessage(type=Type.STATE, state=message))


def _file_of(stream: str, files: Mapping[str, StreamFile]) -> StreamFile:
    if stream not in files:
        raise PermanentError(
            "The stream's file is gone; put it back or refresh the connection's schema.", stream=stream
        )
    return files[stream]


def _state_of(stream: str, state: Sequence[AirbyteStateMessage]) -> Mapping[str, Any]:
    for message in state:
        if message.stream and message.stream.stream_descriptor.name == stream and message.stream.stream_state:
            return dict(vars(message.stream.stream_state))
    return {}


def _status(configured: ConfiguredAirbyteStream, status: AirbyteStreamStatus) -> bytes:
    return _line(as_airbyte_message(configured.stream, status))


def _line(message: AirbyteMessage) -> bytes:
    return AirbyteEntrypoint.airbyte_message_to_string(message).encode() + b"\n"
