"""The sandbox as a part of the stack: its own program, found again at its port after a pause."""

from pathlib import Path

import httpx
import pytest

from orchestration.demo.accounts import Accounts
from orchestration.settings import Settings
from orchestration.stack import lifecycle, sandbox
from orchestration.stack.check_services import sandbox_server
from orchestration.stack.ports import noted_port


@pytest.fixture
def home(tmp_path: Path):
    yield tmp_path
    sandbox.stop(tmp_path)


def _health(url: str) -> object:
    return httpx.get(f"{url}/sandbox/health", trust_env=False).json()["status"]


def test_a_home_without_accounts_needs_no_sandbox(home):
    assert not sandbox.is_wanted(home)
    assert list(sandbox_server(Settings(home=home))) == []
    assert "Sandbox" not in [state.component for state in lifecycle.status(Settings(home=home))]


def test_an_account_is_there_again_at_the_same_address_after_a_pause(home):
    url = sandbox.start(home)
    assert _health(url) == "ok"
    opened = Accounts(url).open("acme", is_published=False)
    assert sandbox.is_wanted(home)
    assert sandbox.stop(home)
    (ok, sentence, remedy) = next(sandbox_server(Settings(home=home)))
    assert (ok, remedy) == (False, "Run `sluice up`.")
    assert "is down" in sentence
    assert sandbox.start(home) == url
    assert Accounts(url).find("acme") == opened
    states = {state.component: state.state for state in lifecycle.status(Settings(home=home))}
    assert states["Sandbox"] == "running"
    assert noted_port(home, sandbox.NAME) in sandbox.QUIET_PORTS
