"""Starts a connector: one process for one command, with pipes for what it writes and what it complains of."""

import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import BufferedWriter
from pathlib import Path
from typing import Never

from airbyte_server.connectors.executables import PreparedRun, become, prepare_run
from airbyte_server.connectors.limits import confine
from airbyte_server.connectors.process_tree import die_with_parent_thread
from airbyte_server.connectors.processes import silence_output
from airbyte_server.connectors.program import Command, ConnectorProgram, JsonObject
from airbyte_server.connectors.scratch import ScratchFolder

_PIPE_BUFFER = 1 << 20
_FLUSH_SECONDS = 0.05
_NAMED_BY_CONFIGURATIONS = "AIRBYTE_SERVER_SECRET_VARIABLE_PREFIX"
_WITHHELD = ("AIRBYTE_SERVER_", "AIRBYTE_SECRET_", "SLUICE_", "DAGSTER_", "PG")


@dataclass(frozen=True, kw_only=True)
class ConnectorCall:
    """One command of a connector with all that it needs; it holds secrets and is never logged."""

    program: ConnectorProgram
    command: Command
    configuration: JsonObject = field(repr=False)
    configured_catalog: JsonObject | None = None
    states: Sequence[JsonObject] = ()
    memory_mib: int = 1024

    @property
    def settings(self) -> JsonObject:
        """The configuration as the connector's spec knows it: without the API's `sourceType`."""
        return {name: value for name, value in self.configuration.items() if name != "sourceType"}


@dataclass(frozen=True)
class StartedConnector:
    """A connector's process: whoever started it reads both pipes to their end, waits for it, and closes it."""

    pid: int
    stdout: int
    stderr: int
    folder: ScratchFolder | None = None
    """Where it has its files."""

    def close(self) -> None:
        """Remove what was made for it."""
        if self.folder is not None:
            self.folder.remove()


def start_connector(call: ConnectorCall) -> StartedConnector:
    """The call as a child of this process, which dies with the thread that started it."""
    run: PreparedRun | None = None
    folder: ScratchFolder | None = None
    if call.program.executable is not None:
        run = prepare_run(call.program, call.command, call.settings, call.configured_catalog, call.states)
        folder = run.folder
    elif call.program.scratch is not None:
        folder = ScratchFolder(Path(call.program.scratch))
    out, to_out = os.pipe()
    err, to_err = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        if run is not None:
            become(run, parent=parent, memory_mib=call.memory_mib, out=to_out, err=to_err)
        _be_the_connector(call, to_out, to_err, folder)
    os.close(to_out)
    os.close(to_err)
    return StartedConnector(pid, out, err, folder)


def _keep_flushing(lines: BufferedWriter) -> None:
    """Pass on what a slow source has written: it may be all that it writes for minutes, or before it is stopped."""
    with suppress(ValueError, OSError):  # closed, or nobody reads any more
        while True:
            time.sleep(_FLUSH_SECONDS)
            lines.flush()


def _forget_secrets() -> None:
    """Take the server's and the stack's own variables, and those that configurations may name, from this process."""
    withheld = (*_WITHHELD, os.environ.get(_NAMED_BY_CONFIGURATIONS) or _WITHHELD[0])
    for name in [name for name in os.environ if name.startswith(withheld)]:
        del os.environ[name]


def _be_the_connector(call: ConnectorCall, out: int, err: int, folder: ScratchFolder | None) -> Never:
    """In the forked child: never returns, so that no cleanup of its parent runs twice."""
    code = 1
    try:
        die_with_parent_thread()
        confine(call.memory_mib)
        silence_output()
        os.dup2(err, 2)
        _forget_secrets()
        if folder is not None:
            os.environ["REQUEST_CACHE_PATH"] = str(folder.path)
        os.closerange(3, out)
        os.closerange(out + 1, os.sysconf("SC_OPEN_MAX"))
        from airbyte_server.connectors.running import run_connector

        with os.fdopen(out, "wb", buffering=_PIPE_BUFFER) as lines:
            threading.Thread(target=_keep_flushing, args=(lines,), daemon=True).start()
            code = run_connector(
                call.program,
                call.command,
                call.settings,
                call.configured_catalog,
                call.states,
                lines.write,
            )
    except BaseException as error:  # noqa: BLE001 a forked child must not fall back into its parent's stack
        os.write(2, f"{type(error).__name__}: {error}\n".encode(errors="replace"))
    finally:
        os._exit(code)
