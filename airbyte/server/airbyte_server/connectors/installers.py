"""Runs uv or pip on a virtual environment, tells how far they are, and why they failed."""

import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from airbyte_server.connectors.install_failures import installation_failure

_KEPT_LINES = 400
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
_PASSED_ON_BY_PREFIX = ("PIP_", "UV_", "SSL_CERT_", "REQUESTS_CA_", "CURL_CA_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

Say = Callable[[str], None]


def find_uv() -> str | None:
    """The uv beside this Python, or else on the path."""
    beside = str(Path(sys.executable).parent)
    return shutil.which("uv", path=os.pathsep.join((beside, os.environ.get("PATH", os.defpath))))


def make_environment(path: Path, requirement: str) -> None:
    """An empty virtual environment of this server's Python."""
    _run([sys.executable, "-m", "venv", "--without-pip", str(path)], requirement)


def install_by_uv(
    uv: str, path: Path, requirement: str, arguments: Sequence[str], tools: Sequence[str], say: Say
) -> None:
    """Install it with uv; `tools` are installed before it, and its dependencies are then built with these."""
    python = str(path / "bin" / "python")
    command = [uv, "pip", "install", "--python", python, "--no-progress", "--compile-bytecode", *arguments]
    _install(command, requirement, tools, say, _phase_of_uv)


def install_by_pip(path: Path, requirement: str, arguments: Sequence[str], tools: Sequence[str], say: Say) -> None:
    """The same with pip: this Python's own, or else the one that Python brings along."""
    python = str(path / "bin" / "python")
    if find_spec("pip") is not None:  # saves seconds, and is newer than what comes with Python
        pip = [sys.executable, "-m", "pip", "--python", python]
    else:
        pip = [python, "-m", "pip"]
        _run([python, "-m", "ensurepip"], requirement)
    quiet = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--retries", "2"]
    _install([*pip, "install", *quiet, *arguments], requirement, tools, say, _phase_of_pip)


def _install(
    command: Sequence[str],
    requirement: str,
    tools: Sequence[str],
    say: Say,
    phase_of: Callable[[str], str | None],
) -> None:
    said = set[str]()

    def follow(line: str) -> None:
        phase = phase_of(line)
        if phase is not None and phase not in said:
            said.add(phase)
            say(phase)

    if tools:
        _run([*command, *tools], requirement)
    _run([*command, *(["--no-build-isolation"] if tools else []), requirement], requirement, follow)


def _phase_of_pip(line: str) -> str | None:
    for begin, phase in (
        ("Collecting ", "finding out what it needs."),
        ("Building wheels", "building what comes without wheels."),
        ("Installing collected packages: ", f"unpacking {line.count(',') + 1} packages."),
    ):
        if line.startswith(begin):
            return phase
    return None


def _phase_of_uv(line: str) -> str | None:
    begun = line.strip().split(" ")[0]
    if begun == "Building":
        return "building what comes without wheels."
    return f"{line.strip()}." if begun in ("Resolved", "Prepared", "Installed") else None


def _run(command: Sequence[str], requirement: str, follow: Say = lambda line: None) -> None:
    lines: deque[str] = deque(maxlen=_KEPT_LINES)
    with subprocess.Popen(
        command,
        env=_environment(os.environ),
        cwd="/",  # neutral ground: uv takes the settings of a project that it is started in
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            follow(line)
    if process.returncode != 0:
        raise installation_failure(requirement, list(lines), process.returncode)


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """What an installer needs of the server's environment: no secret of the server's or the stack's is among it."""
    return {
        name: value
        for name, value in given.items()
        if name in _PASSED_ON or name.startswith(_PASSED_ON_BY_PREFIX) or name.upper() in _PROXIES
    }
