"""A connector of the template, and the process that its commands run in."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from airbyte_kit.check import examined_against
from airbyte_kit.connector import Connector
from airbyte_kit.findings import Finding
from airbyte_kit.running.forker import Forker, forker
from airbyte_kit.scaffolding import scaffold

from tests.airbyte_kit.small_api import small_api

Check = Callable[[Path], Sequence[Finding]]


@pytest.fixture(scope="session")
def forks() -> Iterator[Forker]:
    with forker() as started:
        yield started


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """The template as `connector new` leaves it."""
    return scaffold("acme-crm", tmp_path)


@pytest.fixture
def check_live(forks: Forker) -> Check:
    """Checks a folder against the small API."""

    def check(folder: Path) -> Sequence[Finding]:
        with small_api() as api:
            return list(examined_against(Connector(folder), api, forks))

    return check


@pytest.fixture
def check_samples(forks: Forker) -> Check:
    """Checks a folder against its samples alone."""
    return lambda folder: list(examined_against(Connector(folder), None, forks))
