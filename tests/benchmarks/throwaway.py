"""What the benchmarks share: a cluster that is gone afterwards, and what processes take of the machine."""

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from orchestration.stack import bootstrap
from orchestration.stack.database import EmbeddedPostgres

_TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def cluster(*, durable: bool = True) -> Iterator[tuple[str, Path]]:
    """An embedded cluster with a stack's roles, in a folder of its own: the control role's URL, and the folder."""
    home = Path(tempfile.mkdtemp(prefix="sluice-benchmark-"))
    home.chmod(0o711)
    server = EmbeddedPostgres(home, durable=durable)
    try:
        control_url = bootstrap.bootstrap_cluster(server.admin_url(server.start()), home)
        bootstrap.bootstrap_roles(control_url, home)
        bootstrap.prepare_warehouse(control_url)
        yield control_url, home
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


@dataclass
class Used:
    """What processes took: most resident MiB of each, and seconds on a processor, by a name."""

    mib: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


class Watch:
    """Looks at processes every few milliseconds until the end of the block."""

    def __init__(self) -> None:
        self.used = Used()
        self._pids: dict[int, tuple[str, float]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def add(self, name: str, pid: int) -> None:
        """Watch this process from now on."""
        self._pids.setdefault(pid, (name, seconds_of(pid)))

    def _look_on(self) -> None:
        while not self._ended.wait(0.02):
            for pid, (name, before) in list(self._pids.items()):
                used, mib = seconds_of(pid) - before, peak_mib_of(pid)
                self.used.seconds[name] = max(used, self.used.seconds.get(name, 0.0))
                self.used.mib[name] = max(mib, self.used.mib.get(name, 0.0))


def seconds_of(pid: int) -> float:
    """User and system seconds of a process; 0 of one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_mib_of(pid: int) -> float:
    """The most resident memory that a process ever had; 0 of one that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {"cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 1), "at": time.strftime("%Y-%m-%d %H:%M")}
