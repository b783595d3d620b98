"""The virtual environments of connectors from PyPI: one per package, version and Python, made on first use."""

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from airbyte_server.connectors.installing import Installation, Installer, install
from airbyte_server.connectors.packages import Packages
from airbyte_server.connectors.processes import ChildProcess, ProcessPool, watch_server
from airbyte_server.connectors.program import ConnectorProgram, JsonObject
from airbyte_server.connectors.scratch import sweep
from airbyte_server.errors import ConnectorTimeoutError, PermanentError, RetryableError, ServerError

logger = logging.getLogger(__name__)

_RUNS = "runs"


class Environments:
    """Where connectors from PyPI are installed; safe for threads, and for servers that share the folder."""

    def __init__(
        self,
        pool: ProcessPool,
        packages: Packages,
        folder: Path,
        *,
        timeout: float,
        installer: Installer = "auto",
        arguments: tuple[str, ...] = (),
    ) -> None:
        self._pool = pool
        self._packages = packages
        self._folder = folder.expanduser().absolute()
        self._timeout = timeout
        self._installer = installer
        self._arguments = arguments
        pool.after_each(self.sweep)

    def ensure(
        self,
        program: ConnectorProgram,
        *,
        on_progress: Callable[[str], None],
        on_start: Callable[[ChildProcess], None] = lambda child: None,
    ) -> ConnectorProgram:
        """The program with its executable, installed first where it is not; any other program as it is.

        RetryableError for a full disk, the network or the time-out, PermanentError for a version that does not exist or
        does not support this Python. `on_start` gets the process that installs, so that a cancelled job ends it.
        """
        wanted = self._wanted(program)
        if wanted is None:
            # A manifest's parent streams keep their pages on disk while it runs.
            return program if program.manifest is None else replace(program, scratch=str(self._folder / _RUNS))
        if not wanted.is_whole():
            self._install(wanted, on_progress, on_start)
        return replace(
            program,
            executable=str(wanted.executable),
            scratch=str(self._folder / _RUNS),
            specification=wanted.specification(),
        )

    def known_specification(self, program: ConnectorProgram) -> JsonObject | None:
        """The JSON schema of its configuration; None while it is not installed."""
        wanted = self._wanted(program)
        return wanted.specification() if wanted is not None and wanted.is_whole() else None

    def _wanted(self, program: ConnectorProgram) -> Installation | None:
        package = self._packages.find(program.source_type) if program.manifest is None else None
        if package is None:
            return None
        return Installation(
            package=package,
            version=program.version,
            path=self._folder / package.distribution / f"{program.version}-{sys.implementation.cache_tag}",
            installer=self._installer,
            arguments=self._arguments,
        )

    def sweep(self) -> None:
        """Remove the files of runs that were killed before they could do it themselves."""
        try:
            sweep(self._folder / _RUNS)
        except OSError as error:
            logger.warning("What killed connectors left in %s is not removed: %s.", self._folder, error.strerror)

    def _install(
        self, wanted: Installation, on_progress: Callable[[str], None], on_start: Callable[[ChildProcess], None]
    ) -> None:
        child = self._pool.start(_install, wanted)
        on_start(child)
        started = time.monotonic()
        try:
            for message in child.messages(started + self._timeout):
                if isinstance(message, ServerError):
                    raise message
                on_progress(message)
        except ConnectorTimeoutError:
            raise RetryableError(
                f"Installing {wanted.title} took longer than {self._timeout:g} s, which "
                "AIRBYTE_SERVER_INSTALL_TIMEOUT_SECONDS sets; try again."
            ) from None
        finally:
            child.close()
        if not wanted.is_whole():
            raise RetryableError(f"Installing {wanted.title} was ended half-way; try again.")
        seconds = time.monotonic() - started
        on_progress(f"Installed {wanted.title} in {seconds:.0f} s. Its licence, as it says: {wanted.licence()}.")


def _install(channel: Connection, wanted: Installation) -> None:
    """In a process of the pool, which is killed with everything that it started."""
    watch_server()
    try:
        install(wanted, channel.send)
    except ServerError as error:
        channel.send(_picklable(error))
    except Exception as error:  # noqa: BLE001 the server gets the sentence instead of an exit code
        channel.send(PermanentError(f"Installing {wanted.title} failed: {type(error).__name__}: {error}"))


def _picklable(error: ServerError) -> ServerError:
    """Without its keys, which unpickling would not restore."""
    kind = RetryableError if isinstance(error, RetryableError) else PermanentError
    return kind(str(error))
