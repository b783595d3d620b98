"""An environment is made once, whole or not at all, by whoever comes first."""

import os
import random
import signal
import subprocess
import threading
import time

import pytest
from airbyte_server.connectors.packages import Packages
from airbyte_server.connectors.program import ConnectorProgram
from airbyte_server.errors import PermanentError, RetryableError


def tiny(version="1.0.0"):
    return ConnectorProgram(source_type="tiny", version=version)


def ensure(environments, program, **more):
    said = []
    return environments.ensure(program, on_progress=said.append, **more), said


def test_jobs_that_come_at_once_make_one_environment_per_version(make_environments, tmp_path):
    environments = make_environments()
    found, said = {}, {}

    def run(number):
        found[number], said[number] = ensure(environments, tiny("2.0.0" if number == 0 else "1.0.0"))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[1].executable == found[2].executable != found[0].executable
    made = [number for number in (1, 2) if any("making its virtual environment" in line for line in said[number])]
    assert len(made) == 1, said
    assert said[0][0] == "Installing airbyte-source-tiny 2.0.0: making its virtual environment."
    assert said[0][-1].startswith("Installed airbyte-source-tiny 2.0.0 in ")
    assert said[0][-1].endswith(" s. Its licence, as it says: Test-1.")
    for program in found.values():
        answer = subprocess.run([program.executable, "spec"], capture_output=True, check=True)
        assert b'"SPEC"' in answer.stdout
    assert ensure(environments, tiny()) == (found[1], []), "the second time nothing is to be done"
    # Another server of the same user finds it too.
    assert ensure(make_environments(), tiny())[1] == []
    assert len(list((tmp_path / "environments" / "airbyte-source-tiny").glob("*/complete.json"))) == 2


def test_a_killed_build_is_no_environment_and_is_made_anew(make_environments, make_wheel, tmp_path):
    slow = tmp_path / "slow"
    code = f"""
import json, os, time

def main():
    time.sleep(0 if os.path.exists({str(tmp_path / "go")!r}) else 600)
    print(json.dumps({{"type": "SPEC", "spec": {{"connectionSpecification": {{}}}}}}))
"""
    make_wheel(slow, "1.0.0", code=code)
    environments = make_environments(arguments=("--no-index", "--find-links", str(slow)))
    started, failures, said = [], [], []

    def run():
        try:
            environments.ensure(tiny(), on_progress=said.append, on_start=started.append)
        except RetryableError as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while not any("asking it for its spec" in line for line in said):
        assert thread.is_alive(), failures
        time.sleep(0.01)
    os.kill(started[0].pid, signal.SIGKILL)
    thread.join()
    assert "ended half-way" in str(failures[0])
    (folder,) = (tmp_path / "environments" / "airbyte-source-tiny").glob("*.lock")
    assert folder.with_suffix("").is_dir(), "what a kill leaves is there, and is not taken for whole"
    (tmp_path / "go").touch()
    program, said = ensure(environments, tiny())
    assert any("making its virtual environment" in line for line in said)
    assert subprocess.run([program.executable, "spec"], capture_output=True, check=True).stdout


def test_what_takes_too_long_is_stopped_and_says_which_setting(make_environments, make_wheel, tmp_path):
    make_wheel(tmp_path / "slow", "1.0.0", code="import time\n\ndef main():\n    time.sleep(600)\n")
    environments = make_environments(timeout=1.0, arguments=("--no-index", "--find-links", str(tmp_path / "slow")))
    started = []
    with pytest.raises(RetryableError, match="AIRBYTE_SERVER_INSTALL_TIMEOUT_SECONDS"):
        ensure(environments, tiny(), on_start=started.append)
    assert not started[0].is_alive()


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        pytest.param("9.9.9", "There is no airbyte-source-tiny==9.9.9 to install", id="no-such-version"),
        pytest.param("3.0.0", r"airbyte-source-tiny==3.0.0 does not support Python 3\.\d+\.\d+", id="other-python"),
    ],
)
@pytest.mark.parametrize("installer", ["uv", pytest.param("pip", marks=pytest.mark.slow)])
def test_a_version_that_cannot_be_is_permanent_and_leaves_nothing(
    make_environments, tmp_path, installer, version, sentence
):
    with pytest.raises(PermanentError, match=sentence):
        ensure(make_environments(installer=installer), tiny(version))
    assert [path.suffix for path in (tmp_path / "environments" / "airbyte-source-tiny").iterdir()] == [".lock"]


def test_a_package_that_does_not_start_is_no_environment(make_environments, make_wheel, tmp_path):
    make_wheel(tmp_path / "broken", "1.0.0", code="import nowhere_to_be_found\n")
    environments = make_environments(arguments=("--no-index", "--find-links", str(tmp_path / "broken")))
    with pytest.raises(PermanentError, match="does not start; it said: ModuleNotFoundError"):
        ensure(environments, tiny())
    with pytest.raises(PermanentError, match="does not start"):
        ensure(environments, tiny())


@pytest.mark.slow
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_an_index_that_does_not_answer_may_later(make_environments, installer, unused_port):
    arguments = ("--index-url", f"http://user:hidden@127.0.0.1:{unused_port}/simple")
    with pytest.raises(RetryableError, match="cannot be fetched now") as failure:
        ensure(make_environments(installer=installer, arguments=arguments), tiny())
    assert "hidden" not in str(failure.value)


@pytest.mark.slow
def test_pip_installs_what_uv_cannot(make_environments, wheels):
    # Like an index of pip's configuration, which uv does not read: an argument that pip alone knows.
    arguments = ("--no-index", "--find-links", str(wheels), "--prefer-binary")
    program, said = ensure(make_environments(arguments=arguments), tiny())
    assert any("uv could not, pip tries" in line for line in said)
    assert any("unpacking 1 packages" in line for line in said)
    assert subprocess.run([program.executable, "spec"], capture_output=True, check=True).stdout


def test_other_programs_pass_through(make_environments):
    program = ConnectorProgram(source_type="file", version="1.0.0")
    assert ensure(make_environments(), program) == (program, [])
    assert Packages().find("tiny") is None


@pytest.mark.slow
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_full_disk_may_have_room_later(make_environments, make_wheel, mounted, tmp_path, installer):
    make_wheel(tmp_path / "large", "1.0.0", code=f"text = '{random.Random(1).randbytes(2 << 20).hex()}'\n")
    (tmp_path / "disk").mkdir()
    with mounted(tmp_path / "disk", "2m"):
        environments = make_environments(
            folder=tmp_path / "disk" / "environments",
            installer=installer,
            arguments=("--no-index", "--find-links", str(tmp_path / "large")),
        )
        with pytest.raises(RetryableError, match=r"The disk is full, so airbyte-source-tiny==1.0.0 was not installed"):
            ensure(environments, tiny())
        assert [path.suffix for path in (tmp_path / "disk/environments/airbyte-source-tiny").iterdir()] == [".lock"]
