"""What a job's process does: fork the connector, load what it writes, report."""

import contextlib
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import orjson
import psycopg
from psycopg.types.json import Jsonb

from airbyte_server.connector_process import (
    connector_configuration,
    die_with_parent_thread,
    silence_output,
    trace_sentence,
    watch_server,
)
from airbyte_server.errors import ConnectorError, PermanentError, ServerError
from airbyte_server.loader import Loader, StreamOutcome, StreamTarget
from airbyte_server.loader.decoding import encode
from airbyte_server.secret_box import scrubbed

_PIPE_BUFFER = 1 << 20
_STDERR_LINES = 20

_SAVE_STATE = """
insert into airbyte.stream_states (connection_id, stream, namespace, state)
select %(connection_id)s, %(stream)s, %(namespace)s, %(state)s
where exists (select from airbyte.jobs where job_id = %(job_id)s and status = 'running')
on conflict (connection_id, stream, namespace) do update set state = excluded.state, updated_at = now()
"""

JsonObject = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class JobOrder:
    """Everything that a job's process needs; it holds secrets and is never logged or stored."""

    job_id: int
    connection_id: str
    source_type: str
    configuration: JsonObject = field(repr=False)
    configured_catalog: JsonObject
    targets: Sequence[StreamTarget]
    states: Sequence[JsonObject]
    destination: str = field(repr=False)
    staging_schema: str
    state_database: str = field(repr=False)
    record_limit: int | None
    secrets: Sequence[str] = field(repr=False)


@dataclass(frozen=True)
class Report:
    """What a job's process tells the server: progress, or how it ended."""

    kind: str  # progress, log, done, failed
    text: str = ""
    streams: Sequence[JsonObject] = ()


def run_job(channel: Connection, order: JobOrder) -> None:
    """Run one job to its end; the last report says done or failed."""
    reader = _ConnectorReader(order, close_in_child=channel)
    watch_server()
    loader: Loader | None = None
    try:
        with _StateSaver(order) as saver:
            loader = Loader(
                order.destination,
                order.targets,
                sync_id=order.job_id,
                staging_schema=order.staging_schema,
                on_state=saver.save,
                on_log=lambda level, text: _log(channel, order, level, text),
                on_progress=lambda outcomes: channel.send(Report("progress", streams=_stats(outcomes))),
            )
            loader.load(reader.messages())
        channel.send(Report("done", streams=_stats(loader.outcomes)))
    except Exception as error:  # noqa: BLE001 the last word of this process, whatever happened
        sentence = scrubbed(_sentence(error), order.secrets)
        channel.send(Report("failed", sentence, _stats(loader.outcomes) if loader else ()))
        sys.exit(1)
    finally:
        reader.kill()


def _log(channel: Connection, order: JobOrder, level: str, text: str) -> None:
    if level.upper() in ("FATAL", "ERROR", "WARN", "WARNING"):
        channel.send(Report("log", f"{level.upper()} {scrubbed(text, order.secrets)}"))


def _sentence(error: Exception) -> str:
    if isinstance(error, ServerError):
        return str(error)
    if isinstance(error, psycopg.Error):
        return f"PostgreSQL refused: {str(error).strip().splitlines()[0] if str(error) else type(error).__name__}."
    return f"The job failed: {type(error).__name__}: {error}"


def _stats(outcomes: Mapping[tuple[str | None, str], StreamOutcome]) -> list[JsonObject]:
    return [
        {
            "streamName": outcome.stream,
            **({"streamNamespace": outcome.source_namespace} if outcome.source_namespace else {}),
            "stats": {
                "recordsEmitted": outcome.records_emitted,
                "bytesEmitted": outcome.bytes_emitted,
                "recordsCommitted": outcome.records_emitted
                if outcome.complete
                else outcome.rows_written + outcome.duplicates,
                "rowsWritten": outcome.rows_written,
                "duplicates": outcome.duplicates,
            },
        }
        for outcome in outcomes.values()
    ]


class _StateSaver:
    """Keeps the state of incremental streams; a job that was ended meanwhile saves nothing more."""

    def __init__(self, order: JobOrder) -> None:
        self._order = order
        self._incremental = {
            (target.stream, target.source_namespace or "")
            for target in order.targets
            if target.sync_mode != "full_refresh_overwrite"
        }
        self._connection: psycopg.Connection[Any] | None = None

    def __enter__(self) -> "_StateSaver":
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()

    def save(self, state: JsonObject) -> None:
        """Store one `state` object; of a full-refresh stream or of a sample it is dropped."""
        descriptor = (state.get("stream") or {}).get("stream_descriptor") or {}
        stream, namespace = descriptor.get("name") or "", descriptor.get("namespace") or ""
        is_kept = (stream, namespace) in self._incremental or (not stream and bool(self._incremental))
        if self._order.record_limit is not None or not is_kept:
            return
        if self._connection is None:
            self._connection = psycopg.connect(self._order.state_database, autocommit=True)
        saved = self._connection.execute(
            _SAVE_STATE,
            {
                "connection_id": self._order.connection_id,
                "job_id": self._order.job_id,
                "stream": stream,
                "namespace": namespace,
                "state": Jsonb(state, dumps=encode),  # the loader reads long numbers as Decimal
            },
        )
        if saved.rowcount == 0:
            raise PermanentError("The job was ended while it ran.", job_id=self._order.job_id)


class _ConnectorReader:
    """The connector, forked from this process, and the lines it writes."""

    def __init__(self, order: JobOrder, *, close_in_child: Connection) -> None:
        self._source_type = order.source_type
        out, to_out = os.pipe()
        err, to_err = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _be_the_connector(order, (out, err, close_in_child.fileno()), to_out, to_err)
        os.close(to_out)
        os.close(to_err)
        self._exit_code: int | None = None
        self._lines = os.fdopen(out, "rb", buffering=_PIPE_BUFFER)
        self._complaints: deque[bytes] = deque(maxlen=_STDERR_LINES)
        self._drain = threading.Thread(target=self._keep_complaints, args=(err,), daemon=True)
        self._drain.start()

    def messages(self) -> Iterator[bytes]:
        """Each line; ends normally only if the connector said no error and exited with 0."""
        refusal: str | None = None
        for line in self._lines:
            if b'"TRACE"' in line:
                refusal = trace_sentence(_parsed(line)) or refusal
            yield line
        code = self._wait()
        if refusal is not None:
            raise ConnectorError(refusal)
        if code != 0:
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            raise ConnectorError(f"Source {self._source_type} stopped half-way with {how}.{self._last_complaint()}")

    def kill(self) -> None:
        """End the connector if it still runs."""
        if self._exit_code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            self._wait()

    def _wait(self) -> int:
        if self._exit_code is None:
            self._exit_code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self._exit_code

    def _keep_complaints(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb") as lines:
            while line := lines.readline(4096):
                self._complaints.append(line)

    def _last_complaint(self) -> str:
        self._drain.join(1)
        return f" It said: {self._complaints[-1].decode(errors='replace').strip()}" if self._complaints else ""


def _parsed(line: bytes) -> JsonObject:
    try:
        message = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return message if isinstance(message, dict) else {}


def _be_the_connector(order: JobOrder, unused: Sequence[int], out: int, err: int) -> None:
    """In the forked child: never returns, so that no cleanup of the job's process runs twice."""
    code = 1
    try:
        die_with_parent_thread()
        for descriptor in unused:
            os.close(descriptor)
        silence_output()
        os.dup2(err, 2)
        from airbyte_server.connectors import run_connector

        with os.fdopen(out, "wb", buffering=_PIPE_BUFFER) as lines:
            code = run_connector(
                order.source_type,
                "read",
                connector_configuration(order.configuration),
                order.configured_catalog,
                order.states,
                lines.write,
                record_limit=order.record_limit,
            )
    except BaseException as error:  # noqa: BLE001 a forked child must not fall back into its parent's stack
        os.write(2, f"{type(error).__name__}: {error}\n".encode(errors="replace"))
    finally:
        os._exit(code)
