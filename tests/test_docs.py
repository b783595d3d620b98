"""The documents promise commands: each one in a `sh` block is run here, in order, as a reader would."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
NOT_RUN_HERE = {"make test": "this suite is what it runs"}


def commands(document: str) -> list[str]:
    text = (ROOT / document).read_text()
    return [line for block in BLOCK.findall(text) for line in block.splitlines() if line.strip()]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A folder with exports of a shop, and a stack of its own that is down again afterwards."""
    home = tmp_path / "home"
    environment = os.environ | {"SLUICE_HOME": str(home), "PATH": f"{BIN}:{os.environ['PATH']}", "COLUMNS": "120"}
    environment.pop("SLUICE_DATABASE_URL", None)
    sandbox = [sys.executable, "-m", "airbyte_sandbox", "--out", str(tmp_path / "exports"), "--tools", "shopify"]
    subprocess.run([*sandbox, "--customers", "20", "--days", "20"], check=True, stdout=subprocess.DEVNULL)
    (tmp_path / "exports/shopify").rename(tmp_path / "exports/shop")
    (tmp_path / "exports/shopify.catalog.json").rename(tmp_path / "exports/shop.catalog.json")
    (tmp_path / ".venv").symlink_to(BIN.parent)
    try:
        yield environment
    finally:
        subprocess.run([BIN / "sluice", "down"], env=environment, check=False)


def run(command: str, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("document", ["README.md", "docs/operators.md", "docs/modellers.md"])
def test_every_command_of_a_document_works(document, reader, tmp_path):
    listed = [command for command in commands(document) if command not in NOT_RUN_HERE]
    assert listed
    if document == "README.md":
        # What `make up` does, without the browser's part.
        listed.insert(listed.index("make demo") + 1, "sluice up --no-ui")
    for command in listed:
        output = run(command, ROOT if command.startswith("make ") else tmp_path, reader)
        assert "Traceback" not in output
        if command == "make demo":
            for relation in ("tenant_acme_analytics", "tenant_globex_analytics", "unified_customers", "Health"):
                assert relation in output


def test_the_readme_gives_two_commands_first():
    assert commands("README.md")[:2] == ["make demo", "make test"]


@pytest.mark.parametrize(
    "document", sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("**/*.md") if ".venv" not in path.parts)
)
def test_every_link_and_picture_of_a_document_exists(document):
    folder = (ROOT / document).parent
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / document).read_text()):
        if "://" not in target:
            assert (folder / target).exists(), target
