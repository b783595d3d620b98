"""Makes the virtual environment of one package: whole, or marked as nothing."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path
from typing import Literal

import orjson

from airbyte_server.connectors.install_failures import disk_failure
from airbyte_server.connectors.installers import find_uv, install_by_pip, install_by_uv, make_environment
from airbyte_server.connectors.packages import ConnectorPackage
from airbyte_server.connectors.program import JsonObject
from airbyte_server.errors import PermanentError, ServerError

Installer = Literal["auto", "uv", "pip"]

_SPEC_SECONDS = 120
_LONGEST_COMPLAINT = 300


@dataclass(frozen=True, kw_only=True)
class Installation:
    """What is to be installed where, and with what."""

    package: ConnectorPackage
    version: str
    path: Path
    installer: Installer
    arguments: tuple[str, ...]
    """For pip and uv alike, after their own."""

    @property
    def requirement(self) -> str:
        """As both installers read it."""
        return f"{self.package.distribution}=={self.version}"

    @property
    def title(self) -> str:
        """As people read it."""
        return f"{self.package.distribution} {self.version}"

    @property
    def executable(self) -> Path:
        """The connector's command."""
        return self.path / "bin" / self.package.command

    @property
    def marker(self) -> Path:
        """Written last."""
        return self.path / "complete.json"

    def specification(self) -> JsonObject:
        """The JSON schema of its configuration, as it told when it was installed."""
        specification: JsonObject = self._told()["specification"]
        return specification

    def licence(self) -> str:
        """What the package says of its licence."""
        return str(self._told()["licence"])

    def _told(self) -> JsonObject:
        told: JsonObject = orjson.loads(self.marker.read_bytes())
        return told

    def is_whole(self) -> bool:
        """Whether it was made to its end, and its Python is still there."""
        return self.marker.is_file() and (self.path / "bin" / "python").exists() and self.executable.exists()


def install(wanted: Installation, on_progress: Callable[[str], None]) -> None:
    """Make it unless somebody else has; what a killed build left goes first, what a failed one left afterwards."""

    def say(what: str) -> None:
        on_progress(f"Installing {wanted.title}: {what}")

    try:
        with _sole_builder(wanted.path, lambda: say("waiting for another job that installs it.")):
            if wanted.is_whole():
                return
            shutil.rmtree(wanted.path, ignore_errors=True)
            try:
                _build(wanted, say)
            except BaseException:
                shutil.rmtree(wanted.path, ignore_errors=True)
                raise
    except OSError as error:
        raise disk_failure(wanted.requirement, error) from error


def _build(wanted: Installation, say: Callable[[str], None]) -> None:
    say("making its virtual environment.")
    # Scripts of an environment name its place, so it is built where it stays, and the marker comes last.
    make_environment(wanted.path, wanted.requirement)
    _fill(wanted, say)
    say("asking it for its spec.")
    specification = _ask_spec(wanted)
    marker = {
        "requirement": wanted.requirement,
        "python": sys.version.split()[0],
        "licence": _licence(wanted),
        "specification": specification,
    }
    beside = wanted.marker.with_suffix(".part")
    beside.write_bytes(orjson.dumps(marker))
    beside.rename(wanted.marker)


def _fill(wanted: Installation, say: Callable[[str], None]) -> None:
    what = wanted.path, wanted.requirement, wanted.arguments, wanted.package.build_tools
    uv = find_uv() if wanted.installer != "pip" else None
    if uv is None and wanted.installer == "uv":
        raise PermanentError("AIRBYTE_SERVER_INSTALLER is uv, and no uv is on the path; install it, or choose pip.")
    if uv is not None:
        try:
            return install_by_uv(uv, *what, say)
        except ServerError as error:
            if wanted.installer == "uv":
                raise
            # uv reads none of pip's configuration, so that pip may reach an index which uv does not know.
            say(f"uv could not, pip tries. {error.sentence}")
    return install_by_pip(*what, say)


def _licence(wanted: Installation) -> str:
    folders = [str(path) for path in wanted.path.glob("lib/python*/site-packages")]
    for found in Distribution.discover(name=wanted.package.distribution, path=folders):
        return found.metadata["License-Expression"] or found.metadata["License"] or "not stated"
    return "not stated"


def _ask_spec(wanted: Installation) -> JsonObject:
    """A package whose dependencies have moved on may install and not start; better known now than in a job."""
    if not wanted.executable.exists():
        raise PermanentError(f"{wanted.title} has no command {wanted.package.command}, so it is no connector.")
    try:
        done = subprocess.run(
            [wanted.executable, "spec"],
            env={"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(wanted.path)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SPEC_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PermanentError(f"{wanted.title} did not tell its spec within {_SPEC_SECONDS} s.") from None
    for line in done.stdout.splitlines():
        with contextlib.suppress(orjson.JSONDecodeError, KeyError, TypeError):
            specification: JsonObject = orjson.loads(line)["spec"]["connectionSpecification"]
            return specification
    said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines() or ["nothing"]
    complaint = said[-1][:_LONGEST_COMPLAINT]
    raise PermanentError(f"{wanted.title} is installed and does not start; it said: {complaint}")


@contextmanager
def _sole_builder(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Held by one process at a time, and let go when it dies; the lock's file stays, or two could lock two of them."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
