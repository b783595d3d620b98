import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analysis.errors import PermanentError, RetryableError
from orchestration.stack import processes
from orchestration.stack.processes import Service

FOREVER = "import time; time.sleep(600)"
PARENT = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {FOREVER!r}], start_new_session=True)
print(child.pid, flush=True)
time.sleep(600)
"""


def _service(code: str, **environment: str) -> Service:
    return Service("probe", (sys.executable, "-c", code), Path("/"), environment)


def _wait_for_log(home: Path) -> str:
    log = processes.log_path(home, "probe")
    deadline = time.monotonic() + 20
    while not (text := log.read_text()).strip():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return text


def test_a_program_runs_until_it_is_stopped_and_stopping_again_is_no_error(tmp_path: Path) -> None:
    pid = processes.launch(tmp_path, _service(FOREVER))
    assert processes.running(tmp_path, "probe") == pid
    assert processes.stop(tmp_path, "probe") is True
    assert processes.running(tmp_path, "probe") is None
    assert not processes.is_alive(pid)
    assert processes.stop(tmp_path, "probe") is False


def test_what_the_program_started_goes_with_it_even_in_a_session_of_its_own(tmp_path: Path) -> None:
    processes.launch(tmp_path, _service(PARENT))
    grandchild = int(_wait_for_log(tmp_path))
    processes.stop(tmp_path, "probe")
    assert not processes.is_alive(grandchild)


def test_what_a_killed_program_left_behind_is_found_again(tmp_path: Path) -> None:
    pid = processes.launch(tmp_path, _service(PARENT))
    grandchild = int(_wait_for_log(tmp_path))
    os.kill(pid, 9)
    assert processes.stop(tmp_path, "probe") is True
    assert not processes.is_alive(grandchild)


def test_a_process_id_in_another_programs_hands_is_left_alone(tmp_path: Path) -> None:
    processes.launch(tmp_path, _service(FOREVER))
    note = tmp_path / "run" / "probe.json"
    kept = note.read_text()
    processes.stop(tmp_path, "probe")
    with subprocess.Popen(["/bin/sleep", "60"]) as stranger:
        pid = kept.partition('"process": "')[2].partition(":")[0]
        note.write_text(kept.replace(f'"{pid}:', f'"{stranger.pid}:'))
        assert processes.running(tmp_path, "probe") is None
        assert processes.stop(tmp_path, "probe") is False
        assert stranger.poll() is None
        stranger.kill()


def test_a_program_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    code = f"import signal; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); {FOREVER}"
    pid = processes.launch(tmp_path, _service(code))
    _wait_for_log(tmp_path)
    processes.stop(tmp_path, "probe", seconds=0.2, patience=0.2)
    assert not processes.is_alive(pid)


def test_a_program_that_ends_early_is_an_error_that_quotes_its_log_without_passwords(tmp_path: Path) -> None:
    processes.launch(tmp_path, _service("raise SystemExit('no postgresql://user:hidden@host/db')"))
    with pytest.raises(PermanentError, match=r"probe ended while starting.*user:\*\*\*@host"):
        processes.await_health(tmp_path, "probe", lambda: "not yet", seconds=20)


def test_a_program_that_is_late_is_an_error_that_says_what_is_missing(tmp_path: Path) -> None:
    processes.launch(tmp_path, _service(FOREVER))
    try:
        with pytest.raises(RetryableError, match=r"not healthy within 0 s.*still asleep"):
            processes.await_health(tmp_path, "probe", lambda: "still asleep", seconds=0.2)
    finally:
        processes.stop(tmp_path, "probe")


def test_secrets_go_by_environment_and_the_log_is_private(tmp_path: Path) -> None:
    pid = processes.launch(tmp_path, _service("import os; print(os.environ['TOKEN']); " + FOREVER, TOKEN="hidden"))
    try:
        assert b"hidden" not in Path(f"/proc/{pid}/cmdline").read_bytes()
        assert stat.S_IMODE(processes.log_path(tmp_path, "probe").stat().st_mode) == 0o600
        assert "hidden" not in repr(_service(FOREVER, TOKEN="hidden"))
    finally:
        processes.stop(tmp_path, "probe")
