"""The sandbox as a process of its own, with one account that lasts as long as the check."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from airbyte_server.connectors.process_tree import die_with_parent_thread

from airbyte_kit.errors import KitError
from airbyte_kit.running.watching import Injected
from airbyte_kit.subjects import RETRY_AFTER, Failure, Subject

CUSTOMERS = 40
DAYS = 40
_ACCOUNT = "check"
_SAYS = "sandbox: "
_PATIENCE = 20.0


class Sandbox(Subject):
    """One account of a sandbox that runs."""

    name = "the sandbox"
    is_made_up = True

    def __init__(self, url: str, tool: str, today: date) -> None:
        self._accounts = httpx.Client(base_url=f"{url}/sandbox/accounts", timeout=_PATIENCE)
        self._tool = tool
        self._today = today
        first = today - timedelta(days=DAYS)
        account = self._change(customers=CUSTOMERS, start=str(first), end=str(today - timedelta(days=2)))
        super().__init__(account["configurations"][tool])

    def pass_day(self) -> bool:
        """The account has one more day from now on."""
        self._change(end=str(self._today - timedelta(days=1)))
        return True

    @contextmanager
    def failing(self, how: Failure, every: int) -> Iterator[Injected | None]:
        """The sandbox itself answers so, in the tool's own form."""
        self._change(faults=[{"tool": self._tool, "kind": how, "every": every, "seconds": RETRY_AFTER}])
        try:
            yield None
        finally:
            self._change(faults=[])

    def _change(self, **settings: Any) -> dict[str, Any]:
        answer = self._accounts.put(f"/{_ACCOUNT}", json=settings)
        if answer.is_error:
            raise KitError(f"The sandbox refuses the check's account: {answer.text[:300]}")
        account: dict[str, Any] = answer.json()
        return account


def has_tool(connector: str) -> bool:
    """Whether the sandbox answers for this connector's API."""
    from airbyte_sandbox.server.tools import APIS

    return any(api.name == connector for api in APIS)


@contextmanager
def sandbox(tool: str) -> Iterator[Sandbox]:
    """A sandbox that is gone afterwards, with its files."""
    with tempfile.TemporaryDirectory(prefix="sluice-sandbox-") as folder:
        log = Path(folder) / "log"
        command = [sys.executable, "-m", "airbyte_sandbox", "serve", "--port", "0"]
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [*command, "--accounts", str(Path(folder) / "accounts.json")],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                preexec_fn=die_with_parent_thread,  # also where this process is killed
            )
        try:
            yield Sandbox(_address(process, log), tool, datetime.now(UTC).date())
        finally:
            process.terminate()
            process.wait()


def _address(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(_SAYS):
            return line.removeprefix(_SAYS).strip()
    told = log.read_text(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
    raise KitError(f"The sandbox does not start: {told[0]}")
