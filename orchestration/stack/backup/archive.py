"""The file of a backup: a tar of plain members that is written in one go and never unpacked to disk.

Members are streamed: a header is written when its member's size is known. Names are only ever looked up.
"""

import contextlib
import errno
import hashlib
import os
import re
import secrets
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from analysis.errors import PermanentError, RetryableError

BLOCK = tarfile.BLOCKSIZE
CHUNK = 1 << 20
MOST_MEMBERS = 1000
_NAME = re.compile(r"[a-z0-9][a-z0-9_]*([./-][a-z0-9_]+)*")


@dataclass(frozen=True)
class Written:
    """What a member holds."""

    size: int
    sha256: str


class Writer:
    """Appends members to a file that does not have its name yet."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def add(self, name: str, chunks: Iterable[bytes]) -> Written:
        """Stream a member and return its size and digest."""
        start, digest, size = self._file.tell(), hashlib.sha256(), 0
        self._file.write(bytes(BLOCK))
        for chunk in chunks:
            self._file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        self._file.write(bytes(-size % BLOCK))
        end = self._file.tell()
        self._file.seek(start)
        self._file.write(_header(name, size))
        self._file.seek(end)
        return Written(size, digest.hexdigest())


@contextmanager
def create_archive(path: Path) -> Iterator[Writer]:
    """A new file under a temporary name that takes its own, durably, when all went well; it never replaces one."""
    refuse_existing(path)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        with _disk_troubles_named(path), _open_new(partial) as file:
            yield Writer(file)
            file.write(bytes(2 * BLOCK))
            file.flush()
            os.fsync(file.fileno())
            _take_name(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def refuse_existing(path: Path) -> None:
    """A backup is never written over."""
    if path.exists():
        raise PermanentError("The file exists already; a backup never replaces one, choose another.", file=str(path))


class Reader:
    """The members of one file, by name; nothing of them is believed yet."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self.path = path
        self._file = file
        self._places = _scan(file, path)

    @property
    def sizes(self) -> dict[str, int]:
        """Every member's size."""
        return {name: size for name, (_, size) in self._places.items()}

    def chunks(self, name: str) -> Iterator[bytes]:
        """A member's content, piece by piece."""
        place, left = self._places[name]
        while left:
            self._file.seek(place)
            chunk = self._file.read(min(CHUNK, left))
            if not chunk:
                raise damaged(self.path, "it ends too early")
            place, left = place + len(chunk), left - len(chunk)
            yield chunk

    def read(self, name: str, at_most: int) -> bytes:
        """A small member, whole; a missing or larger one is damage."""
        if self.sizes.get(name, at_most + 1) > at_most:
            raise damaged(self.path, f"its {name} is missing or too large")
        return b"".join(self.chunks(name))


@contextmanager
def open_archive(path: Path) -> Iterator[Reader]:
    """The file's members; a PermanentError where it is none of ours or cut off."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise PermanentError("The backup cannot be read.", file=str(path), reason=error.strerror) from error
    with file:
        yield Reader(file, path)


def damaged(path: Path, reason: str) -> PermanentError:
    """What every fault of a file comes to: nothing of it is restored."""
    message = "The file is no backup of Sluice's, or it is damaged; nothing was restored, take another."
    return PermanentError(message, file=str(path), reason=reason)


def _scan(file: IO[bytes], path: Path) -> dict[str, tuple[int, int]]:
    end = file.seek(0, os.SEEK_END)
    places: dict[str, tuple[int, int]] = {}
    position = 0
    while True:
        file.seek(position)
        block = file.read(BLOCK)
        if block == bytes(BLOCK):
            return places
        name, size = _parse(block, path)
        position += BLOCK
        if name in places or len(places) >= MOST_MEMBERS:
            raise damaged(path, "it holds a member twice or too many of them")
        if position + size > end:
            raise damaged(path, "it ends too early")
        places[name] = position, size
        position += size + -size % BLOCK


def _parse(block: bytes, path: Path) -> tuple[str, int]:
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except (tarfile.HeaderError, ValueError) as error:
        raise damaged(path, "a header is missing or unreadable") from error
    # A link, a device or a name that leads elsewhere is not written by us: not even looked at.
    if info.type != tarfile.REGTYPE or info.size < 0 or not _NAME.fullmatch(info.name):
        raise damaged(path, "it holds a member that no backup has")
    return info.name, info.size


def _header(name: str, size: int) -> bytes:
    if not _NAME.fullmatch(name) or len(name) >= tarfile.LENGTH_NAME:
        raise ValueError(f"No name for a member of a backup: {name!r}.")
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.GNU_FORMAT)


def _open_new(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")


def _take_name(partial: Path, path: Path) -> None:
    try:
        os.link(partial, path)  # unlike a rename it replaces nothing
    except FileExistsError:
        refuse_existing(path)
    except OSError:  # a file system without links
        refuse_existing(path)
        partial.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some file systems sync no folders
            os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _disk_troubles_named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        kind = RetryableError if error.errno in (errno.ENOSPC, errno.EDQUOT) else PermanentError
        raise kind("The backup cannot be written.", file=str(path), reason=error.strerror) from error
