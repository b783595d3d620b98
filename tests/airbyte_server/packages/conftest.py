"""A tiny source as a wheel in a local folder, and what installs it from there."""

import base64
import hashlib
import socket
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from airbyte_server.connectors.environments import Environments
from airbyte_server.connectors.packages import Packages
from airbyte_server.connectors.processes import ProcessPool

SOURCE = Path(__file__).with_name("tiny_source.py")


def write_wheel(folder: Path, version: str, *, name: str = "tiny", python: str = ">=3.9", code: str = "") -> Path:
    """`airbyte_source_<name>` with the command `source-<name>`; its module is the tiny source, or `code`."""
    stem, module = f"airbyte_source_{name}-{version}", f"source_{name}.py"
    files = {
        module: code or SOURCE.read_text(),
        f"{stem}.dist-info/METADATA": (
            f"Metadata-Version: 2.1\nName: airbyte-source-{name}\nVersion: {version}\nRequires-Python: {python}\n"
            "License: Test-1\n"
        ),
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{stem}.dist-info/entry_points.txt": f"[console_scripts]\nsource-{name} = source_{name}:main\n",
    }
    record = "".join(f"{path},sha256={_digest(text)},{len(text.encode())}\n" for path, text in files.items())
    files[f"{stem}.dist-info/RECORD"] = record + f"{stem}.dist-info/RECORD,,\n"
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture(scope="session")
def make_wheel() -> Callable[..., Path]:
    """Makes a wheel of a source, by default the tiny one."""
    return write_wheel


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 1.0.0 of the tiny source, 2.0.0, and one for a Python that is not this one."""
    folder = tmp_path_factory.mktemp("wheels")
    write_wheel(folder, "1.0.0")
    write_wheel(folder, "2.0.0")
    write_wheel(folder, "3.0.0", python=f">=3.{sys.version_info.minor + 1}")
    return folder


@pytest.fixture(scope="session")
def pool() -> Iterator[ProcessPool]:
    yield ProcessPool()


@pytest.fixture
def make_environments(pool: ProcessPool, wheels: Path, tmp_path: Path) -> Callable[..., Environments]:
    """Makes environments that install from the folder of wheels alone."""

    def make(**changes: object) -> Environments:
        given: dict[str, object] = {
            "timeout": 120.0,
            "arguments": ("--no-index", "--find-links", str(wheels)),
            "packages": Packages("airbyte-source-tiny==1.0.0"),
            "folder": tmp_path / "environments",
            **changes,
        }
        return Environments(pool, **given)  # type: ignore[arg-type]

    return make


@pytest.fixture
def unused_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
