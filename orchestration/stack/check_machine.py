"""Checks of this machine: Python, packages, programs, folders, disk."""

import importlib.metadata
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

from orchestration.settings import Settings
from orchestration.stack import kept_secrets
from orchestration.stack.binaries import MAJOR, find_binaries
from orchestration.stack.endpoints import FILE_NAME
from orchestration.stack.placement import find_place

Outcome = tuple[bool, str, str]
LEAST_FREE = 2 * 1024**3
SUPPORTED = ((3, 11), (3, 14))


def python_version(settings: Settings) -> Iterator[Outcome]:
    """Python is one of those that the dependencies support."""
    version = ".".join(map(str, sys.version_info[:3]))
    ok = SUPPORTED[0] <= sys.version_info[:2] < SUPPORTED[1]
    yield ok, f"Python is {version}.", "Remove .venv and run `make setup PYTHON=python3.11` (3.11 to 3.13)."


def package_versions(settings: Settings) -> Iterator[Outcome]:
    """Every package that we require is installed in a version that we allow."""
    wrong = []
    for line in importlib.metadata.requires("sluice") or []:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            wrong += _mismatch(requirement)
    sentence = "; ".join(wrong) if wrong else "Every package has a version that is allowed."
    yield not wrong, sentence, "Run `make setup` to install what requirements.lock names."


def server_programs(settings: Settings) -> Iterator[Outcome]:
    """The embedded PostgreSQL's programs are there, unless a server of one's own is used."""
    if settings.database_url is None:
        yield True, f"PostgreSQL {MAJOR}'s programs are in {find_binaries().root}.", ""


def home_folder(settings: Settings) -> Iterator[Outcome]:
    """The home exists, is ours, and only its owner writes to it."""
    home = settings.home
    if not home.is_dir():
        yield False, f"There is no home at {home}.", "Run `sluice up`, which makes it."
        return
    state = home.stat()
    yield state.st_uid == os.geteuid(), f"The home {home} belongs to uid {state.st_uid}.", "Run as that user."
    mode = stat.S_IMODE(state.st_mode)
    yield not mode & 0o022, f"The home's mode is {mode:04o}.", f"Run `chmod go-w {home}`."


def secret_files(settings: Settings) -> Iterator[Outcome]:
    """Files that hold secrets are readable by their owner alone."""
    home = settings.home
    candidates = [home / "secret.key", home / FILE_NAME, *sorted((home / kept_secrets.FOLDER).glob("*"))]
    files = [path for path in candidates if path.exists()]
    loose = [str(path) for path in files if path.stat().st_mode & 0o077]
    sentence = f"Others can read {', '.join(loose)}." if loose else f"{len(files)} files are readable by you alone."
    yield not loose, sentence, f"Run `chmod 600 {' '.join(loose)}`."


def disk_space(settings: Settings) -> Iterator[Outcome]:
    """There is room where the home and the database lie."""
    places = {settings.home}
    if settings.database_url is None and settings.home.is_dir():
        places.add(find_place(settings.home) or settings.home)
    for place in sorted(places):
        free = shutil.disk_usage(_nearest(place)).free
        sentence = f"{free / 1024**3:.1f} GiB are free at {place}."
        yield free >= LEAST_FREE, sentence, f"Free some space; keep {LEAST_FREE / 1024**3:.0f} GiB."


def _mismatch(requirement: Requirement) -> list[str]:
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return [f"{requirement.name} is missing"]
    if requirement.specifier.contains(version, prereleases=True):
        return []
    return [f"{requirement.name} is {version}, not {requirement.specifier}"]


def _nearest(place: Path) -> Path:
    return next(folder for folder in (place, *place.parents) if folder.exists())
