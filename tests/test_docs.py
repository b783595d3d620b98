"""The documents promise commands: each one in a `sh` block is run here, in order, as a reader would."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestration.stack.placement import find_place

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
NOT_RUN_HERE = {"make test": "this suite is what it runs"}


def commands(document: str) -> list[str]:
    text = (ROOT / document).read_text()
    return [line for block in BLOCK.findall(text) for line in block.splitlines() if line.strip()]


@contextmanager
def reader_in(folder: Path) -> Iterator[dict[str, str]]:
    """A folder with exports of a shop, and a stack of its own that is down again afterwards."""
    environment = os.environ | {"SLUICE_HOME": str(folder / "home"), "COLUMNS": "120", "PAGER": "cat"}
    environment["PATH"] = f"{BIN}:{os.environ['PATH']}"
    environment.pop("SLUICE_DATABASE_URL", None)
    sandbox = [sys.executable, "-m", "airbyte_sandbox", "--out", str(folder / "exports"), "--tools", "shopify"]
    subprocess.run([*sandbox, "--customers", "20", "--days", "20"], check=True, stdout=subprocess.DEVNULL)
    (folder / "exports/shopify").rename(folder / "exports/shop")
    (folder / "exports/shopify.catalog.json").rename(folder / "exports/shop.catalog.json")
    (folder / ".venv").symlink_to(BIN.parent)
    try:
        yield environment
    finally:
        subprocess.run([BIN / "sluice", "down"], env=environment, check=False)
        place = find_place(folder / "home") if (folder / "home").is_dir() else None
        if place is not None:  # outside of the folder where PostgreSQL's account could not get in
            shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """Somebody who reads one document and has nothing yet."""
    with reader_in(tmp_path) as environment:
        yield tmp_path, environment


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """Somebody who reads README, then quickstart, in one home: the second demo finds the first one's tenants."""
    folder = tmp_path_factory.mktemp("newcomer")
    with reader_in(folder) as environment:
        yield folder, environment


def run(command: str, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def follow(document: str, folder: Path, environment: dict[str, str]) -> dict[str, str]:
    """What each command of a document printed."""
    listed = [command for command in commands(document) if command not in NOT_RUN_HERE]
    assert listed
    printed = {each: run(each, ROOT if each.startswith("make ") else folder, environment) for each in listed}
    assert not [command for command, output in printed.items() if "Traceback" in output]
    return printed


@pytest.mark.slow
@pytest.mark.parametrize("document", ["README.md", "docs/quickstart.md"])
def test_a_newcomer_sees_both_tenants_their_customers_and_the_ui(document, newcomer):
    folder, environment = newcomer
    printed = follow(document, folder, environment)
    for word in ("tenant_acme_analytics", "tenant_globex_analytics", "unified_customers", "Health", "tenant psql"):
        assert word in printed["make demo"]
    assert "Dagster UI: http://127.0.0.1:" in printed["make up"]
    customers = ".venv/bin/sluice tenant psql acme -c 'select * from unified_customers limit 5'"
    assert "(5 rows)" in printed[customers]


@pytest.mark.slow
@pytest.mark.parametrize("document", ["docs/operations.md", "docs/modellers.md"])
def test_every_command_of_a_document_works(document, reader):
    follow(document, *reader)


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
