"""Starts a connector that is a program of its own: files for what it needs, and nothing else of the server's."""

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Never

import orjson

from airbyte_server.connectors.components import refuse_injection
from airbyte_server.connectors.limits import confine
from airbyte_server.connectors.process_tree import die_with_parent_thread
from airbyte_server.connectors.program import Command, ConnectorProgram, JsonObject
from airbyte_server.connectors.scratch import ScratchFolder
from airbyte_server.errors import PermanentError, RetryableError

_PASSED_ON = ("LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_CANNOT_START = 126


@dataclass(frozen=True)
class PreparedRun:
    """A command line with its environment and the folder of its files, which whoever prepared it removes."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    folder: ScratchFolder


def prepare_run(
    program: ConnectorProgram,
    command: Command,
    settings: JsonObject,
    configured_catalog: JsonObject | None,
    states: Sequence[JsonObject],
) -> PreparedRun:
    """Write what the command reads; PermanentError for what is not installed, RetryableError for a full disk."""
    if program.executable is None or program.scratch is None:
        raise PermanentError(f"Source {program.source_type} is not installed.")
    refuse_injection(settings)
    try:
        return _prepare(program.executable, Path(program.scratch), command, settings, configured_catalog, states)
    except OSError as error:
        raise RetryableError(
            f"The files that source {program.source_type} reads cannot be written: {error.strerror}."
        ) from error


def _prepare(
    executable: str,
    scratch: Path,
    command: Command,
    settings: JsonObject,
    configured_catalog: JsonObject | None,
    states: Sequence[JsonObject],
) -> PreparedRun:
    folder = ScratchFolder(scratch)
    try:
        line = [executable, command]
        if command != "spec":
            line += ["--config", str(folder.write("config.json", orjson.dumps(settings)))]
        if command == "read":
            catalog = configured_catalog or {"streams": []}
            line += ["--catalog", str(folder.write("catalog.json", orjson.dumps(catalog)))]
            if states:
                line += ["--state", str(folder.write("state.json", orjson.dumps(_state_file(states))))]
    except BaseException:
        folder.remove()
        raise
    return PreparedRun(line, _environment(executable, folder.home), folder)


def become(run: PreparedRun, *, parent: int, memory_mib: int, out: int, err: int) -> Never:
    """In a forked child of `parent`: turn into the connector, with three descriptors and no others."""
    try:
        die_with_parent_thread()
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (out, 1), (err, 2)):
            os.dup2(source, target)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and what is ignored stays so
        confine(memory_mib)
        os.chdir(run.environment["HOME"])
        if os.getppid() == parent:  # or it died before it could be watched
            os.execve(run.command[0], list(run.command), run.environment)  # noqa: S606 no shell is wanted
    except BaseException as error:  # noqa: BLE001 a forked child must not fall back into its parent's stack
        os.write(2, f"The connector cannot be started: {error}\n".encode(errors="replace"))
    finally:
        os._exit(_CANNOT_START)


def _state_file(states: Sequence[JsonObject]) -> object:
    """The list of state messages; the old form, one for all streams, as its bare data."""
    is_legacy = len(states) == 1 and states[0].get("type", "LEGACY") == "LEGACY" and "data" in states[0]
    return states[0]["data"] if is_legacy else list(states)


def _environment(executable: str, home: Path) -> dict[str, str]:
    """What leads to the network, and no secret: its own home and its own Python's folder."""
    passed = {name: value for name, value in os.environ.items() if name in _PASSED_ON or name.upper() in _PROXIES}
    own = {"PATH": f"{Path(executable).parent}:/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "TMPDIR": str(home)}
    return {"LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", **passed, **own}
