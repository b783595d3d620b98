"""Programs in the background: a log and a process file each, and no signal to a process that is not ours."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from analysis.errors import PermanentError, RetryableError

MARK = "SLUICE_STACK_MEMBER"
LOG_LIMIT = 20_000_000
PASSWORD_IN_URL = re.compile(r"://([^:/@\s]*):[^@\s]+@")


@dataclass(frozen=True)
class Service:
    """A program to keep in the background; its secrets go by environment, never in its arguments."""

    name: str
    command: Sequence[str]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


def log_path(home: Path, name: str) -> Path:
    """Where this program writes what it has to say."""
    return home / "logs" / f"{name}.log"


def launch(home: Path, service: Service) -> int:
    """Start the program in a session of its own and note its process; returns its id."""
    note = _note(home, service.name)
    note.parent.mkdir(mode=0o700, exist_ok=True)
    environment = os.environ | dict(service.environment) | {MARK: _mark(home, service.name)}
    with open_log(log_path(home, service.name)) as log:
        child = subprocess.Popen(
            list(service.command),
            cwd=service.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    fresh = note.with_suffix(".new")
    fresh.write_text(json.dumps({"process": identity(child.pid)}))
    fresh.replace(note)
    child.returncode = 0  # it outlives this process on purpose
    return child.pid


def running(home: Path, name: str) -> int | None:
    """The id of this program's process if it lives and is the one that was noted."""
    try:
        process = str(json.loads(_note(home, name).read_text())["process"])
    except FileNotFoundError:
        return None
    return int(process.partition(":")[0]) if is_identity_alive(process) else None


def stop(home: Path, name: str, *, seconds: float = 20.0, patience: float = 5.0) -> bool:
    """End the program and everything that it started; False when none of it was running."""
    main = running(home, name)
    members = _members(home, name)
    if main is not None:
        _signal(main, signal.SIGTERM)
        _wait_until_gone([main], seconds)
    for step in (signal.SIGTERM, signal.SIGKILL):
        left = _members(home, name)
        for pid in left:
            _signal(pid, step)
        _wait_until_gone(left, patience)
    stubborn = _members(home, name)
    if stubborn:
        raise RetryableError(f"The {name} does not stop.", processes=stubborn)
    _note(home, name).unlink(missing_ok=True)
    return bool(main or members)


def await_health(home: Path, name: str, probe: Callable[[], str | None], *, seconds: float) -> None:
    """Wait until the probe names no trouble; a program that ended or is late is an error that quotes its log."""
    log = log_path(home, name)
    deadline = time.monotonic() + seconds
    while (trouble := probe()) is not None:
        if running(home, name) is None:
            raise PermanentError(f"The {name} ended while starting.", last_line=last_line(log), log=str(log))
        if time.monotonic() > deadline:
            raise RetryableError(
                f"The {name} was not healthy within {seconds:.0f} s.",
                trouble=trouble,
                last_line=last_line(log),
                log=str(log),
            )
        time.sleep(0.1)


def is_alive(pid: int) -> bool:
    """Whether this process runs; one that ended and only waits to be collected does not."""
    state = _stat(pid)
    return bool(state) and state[0] not in ("Z", "X")


def identity(pid: int) -> str:
    """The process's id with the time it started (ticks since the boot of that id): no two processes share it."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    fields = _stat(pid)
    return f"{pid}:{fields[19] if len(fields) > 19 else ''}:{boot}"


def is_identity_alive(process: str) -> bool:
    """Whether the process of this identity still runs; its id in another's hands does not count."""
    pid = int(process.partition(":")[0])
    return is_alive(pid) and identity(pid) == process


def open_log(path: Path) -> IO[bytes]:
    """The log opened for appending (0600); one that has grown large is set aside first."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def last_line(log: Path, marks: Sequence[str] = ()) -> str:
    """The log's last line, of those that carry one of the marks if any does; without passwords."""
    if not log.exists():
        return "(no log)"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 20_000))
        lines = [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    marked = [line for line in lines[-30:] if any(mark in line for mark in marks)]
    line = (marked or lines or ["(empty log)"])[-1].strip()
    return without_passwords(line)[:500]


def without_passwords(text: str) -> str:
    """The text with the password of every URL in it blotted out."""
    return PASSWORD_IN_URL.sub(r"://\1:***@", text)


def _note(home: Path, name: str) -> Path:
    return home / "run" / f"{name}.json"


def _mark(home: Path, name: str) -> str:
    return f"{home}:{name}"


def _members(home: Path, name: str) -> list[int]:
    """Every living process that carries the program's mark, so also those that it started."""
    wanted = f"{MARK}={_mark(home, name)}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:  # another user's, or it just ended
            continue
        if wanted in environment.split(b"\0") and is_alive(int(entry.name)):
            found.append(int(entry.name))
    return found


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _wait_until_gone(pids: Sequence[int], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(is_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
