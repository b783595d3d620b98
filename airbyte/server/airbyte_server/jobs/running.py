"""A job that runs: its processes, and how to end them."""

import threading
from dataclasses import dataclass, field

from airbyte_server.connectors.processes import ChildProcess

CANCEL_PATIENCE_SECONDS = 5.0


@dataclass
class RunningJob:
    """One job and the processes that it has started."""

    job_id: int
    connection_id: str
    children: list[ChildProcess] = field(default_factory=list)
    stop_reason: str | None = None
    is_retried: bool = False
    """Whether a job that was stopped goes on later."""
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def adopt(self, child: ChildProcess) -> None:
        """Let `stop` reach this child; one that starts too late is killed at once."""
        with self.lock:
            self.children.append(child)
            if self.stop_reason is not None:
                child.kill()

    def stop(self, reason: str, *, retry: bool = False) -> None:
        """Kill everything of this job."""
        with self.lock:
            self.stop_reason, self.is_retried = reason, retry
            for child in self.children:
                child.kill()
