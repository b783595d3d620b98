"""What a run is given lies in files of its own, which go with whoever made them."""

import stat
import subprocess
import sys

import orjson
import pytest
from airbyte_server.connectors.executables import prepare_run
from airbyte_server.connectors.program import ConnectorProgram
from airbyte_server.connectors.scratch import ScratchFolder, sweep
from airbyte_server.errors import PermanentError, RetryableError

KILLED = """
import os, signal, sys
from pathlib import Path
from airbyte_server.connectors.scratch import ScratchFolder

folder = ScratchFolder(Path(sys.argv[1]))
folder.write("config.json", b"secret")
print(folder.path, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def prepared(root, **more):
    program = ConnectorProgram(source_type="tiny", version="1", executable="/bin/true", scratch=str(root))
    given = {"command": "read", "settings": {}, "configured_catalog": None, "states": (), **more}
    return prepare_run(program, **given)


def test_only_folders_of_the_dead_are_swept(tmp_path):
    root = tmp_path / "runs"
    done = subprocess.run([sys.executable, "-c", KILLED, str(root)], capture_output=True, text=True, check=False)
    left = done.stdout.strip()
    assert (root / left / "config.json").read_bytes() == b"secret"
    mine = ScratchFolder(root)
    sweep(root)
    assert list(root.iterdir()) == [mine.path]
    assert (mode(root), mode(mine.path), mode(mine.write("config.json", b""))) == (0o700, 0o700, 0o600)
    mine.remove()
    mine.remove()
    assert list(root.iterdir()) == []


@pytest.mark.parametrize(
    ("states", "written"),
    [
        pytest.param([], None, id="none"),
        pytest.param([{"type": "STREAM", "stream": {}}], [{"type": "STREAM", "stream": {}}], id="per-stream"),
        pytest.param([{"type": "LEGACY", "data": {"items": 3}}], {"items": 3}, id="of-old"),
    ],
)
def test_a_state_is_written_in_the_form_that_it_came_in(tmp_path, states, written):
    run = prepared(tmp_path, states=states)
    path = run.folder.path / "state.json"
    assert (str(path) in run.command) == path.exists() == bool(states)
    assert written is None or orjson.loads(path.read_bytes()) == written
    run.folder.remove()


def test_what_cannot_be_written_is_said_without_what_it_holds(tmp_path):
    in_the_way = tmp_path / "runs"
    in_the_way.touch()
    with pytest.raises(RetryableError, match="that source tiny reads cannot be written: File exists"):
        prepared(in_the_way, settings={"password": "hush"})
    with pytest.raises(PermanentError, match="Source tiny is not installed"):
        prepare_run(ConnectorProgram(source_type="tiny", version="1"), "check", {}, None, ())
