"""A model set: the files of a generated dbt project, mounted under the name of its content."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from analysis.errors import PermanentError
from analysis.profiling.profile import Frozen

_LINK = Path("dbt_packages") / "sluice"
# Folders whose every file is dbt's input; whatever else lies in a mounted set (target, logs) is not.
_INPUT_FOLDERS = ("models", "macros")


class ModelSet(Frozen):
    """A name that stands for the content, and the files by their path inside the project."""

    name: str
    files: Mapping[str, str]

    def write(self, directory: Path, package: Path) -> Path:
        """Mount the set as `<directory>/<name>` with a link to the shared package, and return that folder.

        A set that is mounted already is compared and used again; one that differs is an error.
        """
        target = directory / self.name
        self._require_inside(directory)
        if not target.is_dir():
            self._mount(directory, target, package)
        self.verify(target)
        _link(target, package)
        return target

    def _require_inside(self, directory: Path) -> None:
        """A set read back from the store is data: neither its name nor a file's may lead out of its folder."""
        home = (directory / self.name).resolve()
        strays = [name for name in self.files if not (home / name).resolve().is_relative_to(home)]
        if home.parent != directory.resolve() or strays:
            message = "A model set would write outside of its folder; render it again."
            raise PermanentError(message, name=self.name, files=sorted(strays)[:10])

    def _mount(self, directory: Path, target: Path, package: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{self.name}.", dir=directory))
        try:
            temporary.chmod(0o755)
            for name, text in self.files.items():
                path = temporary / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text.encode())
            _link(temporary, package)
            # Another process may have mounted the same set meanwhile; the comparison that follows decides.
            if not target.is_dir():
                _rename(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def verify(self, mounted: Path) -> None:
        """Compare a mounted set with this one, byte by byte; a difference is an error that names the files."""
        differing = [name for name, text in self.files.items() if _content(mounted / name) != text.encode()]
        extra = [name for name in _inputs(mounted) if name not in self.files]
        if differing or extra:
            raise PermanentError(
                "The mounted model set is not what its plan renders to; remove the folder and run again.",
                folder=str(mounted),
                files=sorted(differing + extra)[:10],
            )


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _inputs(mounted: Path) -> list[str]:
    found = [path for folder in _INPUT_FOLDERS for path in (mounted / folder).rglob("*")]
    return [path.relative_to(mounted).as_posix() for path in found if path.is_file()]


def _rename(temporary: Path, target: Path) -> None:
    try:
        temporary.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def _link(mounted: Path, package: Path) -> None:
    """Point the set's package at the shared one; a link to elsewhere is replaced in one step."""
    link = mounted / _LINK
    link.parent.mkdir(parents=True, exist_ok=True)
    wanted = package.resolve()
    if link.is_symlink() and link.readlink() == wanted:
        return
    temporary = Path(tempfile.mkdtemp(dir=link.parent))
    try:
        (temporary / "link").symlink_to(wanted, target_is_directory=True)
        (temporary / "link").replace(link)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
