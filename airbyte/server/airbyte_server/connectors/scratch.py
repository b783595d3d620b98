"""Folders for one run of a connector, which go with the process that made them, also when that is killed."""

import contextlib
import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = "owner.lock"


class ScratchFolder:
    """A folder that only this user may enter; it counts as in use while its maker lives and has not removed it."""

    def __init__(self, root: Path) -> None:
        with _locked(root, fcntl.LOCK_SH):
            self.path = Path(tempfile.mkdtemp(dir=root))
            self._owner = os.open(self.path / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._owner, fcntl.LOCK_EX)
        self.home = _home(self.path)
        """The home of what runs in it, by which its processes are found."""
        self.home.mkdir(mode=0o700)

    def write(self, name: str, content: bytes) -> Path:
        """A file that only this user may read."""
        path = self.path / name
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(content)
        return path

    def remove(self) -> None:
        """Remove it with all that is in it; again is nothing."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._owner >= 0:
            os.close(self._owner)
            self._owner = -1


def sweep(root: Path) -> None:
    """Remove the folders whose makers are gone, and end what still runs in them, in whatever session."""
    if not root.is_dir():
        return
    with _locked(root, fcntl.LOCK_EX):
        for folder in root.iterdir():
            if folder.is_dir() and not _is_in_use(folder):
                _end_processes(_home(folder))
                shutil.rmtree(folder, ignore_errors=True)


def _home(folder: Path) -> Path:
    return folder / "home"


def _end_processes(home: Path) -> None:
    """A no-op where there is no /proc."""
    wanted = b"HOME=" + os.fsencode(home)
    for environment in Path("/proc").glob("[0-9]*/environ"):
        # Gone meanwhile, or another user's.
        with contextlib.suppress(OSError):
            if wanted in environment.read_bytes().split(b"\0"):
                os.kill(int(environment.parent.name), signal.SIGKILL)


def _is_in_use(folder: Path) -> bool:
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:  # killed before it was whole: nobody makes one while the root is swept
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


@contextmanager
def _locked(root: Path, how: int) -> Iterator[None]:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(root, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, how)
        yield
    finally:
        with contextlib.suppress(OSError):
            os.close(lock)
