"""What is wrong with this installation, and what to do about it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from analysis.errors import SluiceError
from orchestration.settings import Settings
from orchestration.stack import check_database, check_machine, check_samples, check_services, check_tenants


@dataclass(frozen=True)
class Finding:
    """The outcome of one check; the remedy says what to do when it is not ok."""

    check: str
    ok: bool
    sentence: str
    remedy: str = ""


Check = Callable[[Settings], Iterator[tuple[bool, str, str]]]

CHECKS: tuple[tuple[str, Check], ...] = (
    ("python", check_machine.python_version),
    ("packages", check_machine.package_versions),
    ("programs", check_machine.server_programs),
    ("home", check_machine.home_folder),
    ("secrets", check_machine.secret_files),
    ("disk", check_machine.disk_space),
    ("ports", check_services.ports),
    ("postgres", check_database.server),
    ("vector", check_database.vector),
    ("roles", check_database.roles),
    ("walls", check_database.walls),
    ("closed functions", check_tenants.closed_functions),
    ("limits", check_tenants.limits),
    ("migrations", check_database.migrations),
    ("tenants", check_tenants.tenants),
    ("dagster storage", check_database.dagster_storage),
    ("airbyte", check_services.airbyte),
    ("sandbox", check_services.sandbox_server),
    ("samples", check_samples.samples),
    ("dagster ui", check_services.dagster_ui),
)


def examine(settings: Settings, *, repair: bool = False) -> list[Finding]:
    """Every check's findings, in order, after repairs where asked; a check that fails is itself a finding."""
    repairs = (check_tenants.repair, check_samples.sweep) if repair else ()
    mended = [finding for mend in repairs for finding in _run("repair", mend, settings)]
    return mended + [finding for name, check in CHECKS for finding in _run(name, check, settings)]


def _run(name: str, check: Check, settings: Settings) -> Iterator[Finding]:
    try:
        for ok, sentence, remedy in check(settings):
            yield Finding(name, ok, sentence, "" if ok else remedy)
    except SluiceError as error:
        yield Finding(name, False, str(error), "Do what the sentence says, then run `sluice doctor` again.")
