"""Homes for stacks of their own, reachable for the account that PostgreSQL runs under, and cleaned up after."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from orchestration.settings import Settings
from orchestration.stack import lifecycle
from orchestration.stack.placement import find_place

collect_ignore = [] if os.geteuid() == 0 else ["test_database_as_root.py"]


def _remove(home: Path) -> None:
    lifecycle.down(Settings(home=home))
    place = find_place(home) if home.is_dir() else None
    shutil.rmtree(home.parent, ignore_errors=True)
    if place is not None and place.is_dir():
        shutil.rmtree(place)
        with suppress(OSError):  # others' data may be there
            place.parent.rmdir()


@pytest.fixture(scope="module")
def make_home() -> Iterator[Callable[..., Path]]:
    """Paths of fresh homes, each in a folder of its own with the given mode."""
    homes: list[Path] = []

    def make(mode: int = 0o711) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="sluice-stack-"))
        folder.chmod(mode)
        homes.append(folder / "home")
        return homes[-1]

    try:
        yield make
    finally:
        for home in homes:
            _remove(home)


@pytest.fixture
def home(make_home: Callable[..., Path]) -> Path:
    """The path of one fresh home."""
    return make_home()
