"""The arrows of the design: who may import whom, and where package markers may stand."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "orchestration": ROOT / "orchestration",
    "analysis": ROOT / "analysis",
    "airbyte_server": ROOT / "airbyte/server/airbyte_server",
    "airbyte_sandbox": ROOT / "airbyte/sandbox/airbyte_sandbox",
    "airbyte_kit": ROOT / "airbyte/kit/airbyte_kit",
}
FORBIDDEN = {
    "orchestration": {"airbyte_server", "airbyte_sandbox"},
    "analysis": {
        "orchestration",
        "airbyte_server",
        "airbyte_sandbox",
        "airbyte_kit",
        "dagster",
        "dagster_airbyte",
        "dagster_dbt",
        "dbt",
    },
    "airbyte_server": {"orchestration", "analysis", "airbyte_sandbox", "airbyte_kit", "dagster", "dbt"},
    "airbyte_sandbox": {"orchestration", "analysis", "airbyte_server", "airbyte_kit", "dagster", "dbt"},
    # A developer's tool: it runs connectors as the server does, against the sandbox. The stack never needs it.
    "airbyte_kit": {"orchestration", "analysis", "dagster", "dbt"},
}


def imported_packages(module: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.split(".")[0], node.lineno


def module_graph(package: str) -> dict[str, set[str]]:
    root = PACKAGES[package]
    names = {}
    for file in root.rglob("*.py"):
        parts = (package, *file.relative_to(root).with_suffix("").parts)
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    graph: dict[str, set[str]] = {name: set() for name in names}
    for name, file in names.items():
        # Imports inside functions are late on purpose and cannot make a circle at load.
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ImportFrom) and node.module:
                candidates = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            elif isinstance(node, ast.Import):
                candidates = {alias.name for alias in node.names}
            else:
                continue
            graph[name] |= {found for found in candidates if found in names and found != name}
    return graph


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_along_the_arrows(package):
    offences = [
        f"{module.relative_to(ROOT)}:{line} imports {name}"
        for module in PACKAGES[package].rglob("*.py")
        for name, line in imported_packages(module)
        if name in FORBIDDEN[package]
    ]
    assert not offences, "\n".join(offences)


@pytest.mark.parametrize("package", PACKAGES)
def test_modules_form_no_circle(package):
    graph = module_graph(package)
    finished: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, "circle: " + " -> ".join((*trail[trail.index(name) :], name))
        if name not in finished:
            for other in sorted(graph[name]):
                # A package's __init__ that re-exports its modules is imported by them only as a parent.
                if not name.startswith(other + "."):
                    visit(other, (*trail, name))
            finished.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_no_package_marker_shadows_an_installed_package():
    markers = [*ROOT.joinpath("tests").rglob("__init__.py"), *ROOT.joinpath("dbt_project").rglob("__init__.py")]
    assert not markers
    allowed = [root for root in PACKAGES.values() if root.is_relative_to(ROOT / "airbyte")]
    strays = [
        found
        for found in ROOT.joinpath("airbyte").rglob("__init__.py")
        if not any(found.is_relative_to(root) for root in allowed)
    ]
    assert not strays


def test_no_top_level_module_is_called_dbt():
    # dbt imports every top-level module whose name starts with dbt_.
    assert not [path.name for path in ROOT.glob("dbt_*.py")]
    assert not ROOT.joinpath("dbt_project/__init__.py").exists()


def test_the_lock_names_no_index_and_no_host():
    text = ROOT.joinpath("requirements.lock").read_text()
    assert "://" not in text and "--index" not in text and "--find-links" not in text


def test_committed_files_name_no_place_of_one_machine():
    listed = subprocess.run(["git", "grep", "-lE", r"/root/|/home/[a-z]+/"], cwd=ROOT, capture_output=True, text=True)
    assert not listed.stdout.replace("tests/test_layout.py\n", ""), listed.stdout
