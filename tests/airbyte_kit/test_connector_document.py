"""Every command of docs/connectors.md works, in order, as a reader would type it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from airbyte_kit.connector import CONNECTORS

ROOT = CONNECTORS.parents[1]
DOCUMENT = ROOT / "docs/connectors.md"
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def test_the_document_names_every_step():
    kit = ROOT / "airbyte/kit/airbyte_kit"
    sources = "".join(file.read_text() for file in [*kit.glob("*.py"), *kit.glob("steps/*.py")])
    steps = set(re.findall(r'(?:judged|ok|failed|skipped)\("([a-z_]+)"', sources))
    section = DOCUMENT.read_text().split("\n## The check\n")[1].split("\n## ")[0]
    named = set(re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE))
    assert len(steps) >= 14
    assert named == steps


@pytest.mark.slow
def test_every_command_of_the_document_works(tmp_path: Path):
    shutil.copy(ROOT / "tests/airbyte_kit/openapi/airflow.yaml", tmp_path / "openapi.yaml")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    commands = [line for block in BLOCK.findall(DOCUMENT.read_text()) for line in block.splitlines() if line.strip()]
    assert len(commands) >= 7
    for command in commands:
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stdout + done.stderr
